# Layers: `gems` (launch, cache) what the lock file names; `downloads` (cache) gems as they were fetched.

# Raise when the way of installing changes what comes out.
layer_schema=1

install_gems() {
  [[ -f Gemfile.lock ]] || fail "Gemfile.lock is missing, so nobody knows which versions to install. Run bundle install and commit Gemfile.lock."
  local key
  key=$(layer_key)
  if [[ -d "$gem_layer/ruby" && "$(restored_key)" == "$key" ]]; then
    step "Reusing gems: Gemfile, Gemfile.lock and Ruby are unchanged"
  else
    rm -rf "$gem_layer"
    mkdir -p "$gem_layer/ruby" "$BUNDLE_USER_CACHE"
    run_bundle_install
    # What would differ between two hosts, or is no use to a running app.
    rm -rf "$gem_layer"/ruby/*/cache "$gem_layer"/ruby/*/doc "$gem_layer"/ruby/*/build_info
    find "$gem_layer" \( -name gem_make.out -o -name mkmf.log \) -delete
  fi
  printf '[types]\nlaunch = true\ncache = true\n\n[metadata]\nkey = "%s"\n' "$key" >"$gem_layer.toml"
  [[ ! -d "$BUNDLE_USER_CACHE" ]] || printf '[types]\ncache = true\n' >"$BUNDLE_USER_CACHE.toml"
}

layer_key() {
  {
    printf '%s\n' "$layer_schema" "$ruby_version" "$BUNDLER_VERSION" "$BUNDLE_WITHOUT" "$(uname -m)"
    cat Gemfile Gemfile.lock
    cached_gems | xargs -d '\n' -r sha256sum
  } | sha256sum | cut -d ' ' -f 1
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$gem_layer.toml" 2>/dev/null || true; }

cached_gems() { [[ ! -d vendor/cache ]] || find vendor/cache -maxdepth 1 -type f -name '*.gem' | LC_ALL=C sort; }

# Gems in vendor/cache need no network; if they are not all that is asked for, the rest is fetched.
run_bundle_install() {
  local log=/tmp/bundle-output
  if [[ -n "$(cached_gems)" ]]; then
    step "Installing gems from vendor/cache with bundle install"
    if bundle install --local --jobs 4 >"$log" 2>&1; then
      indent <"$log"
      return 0
    fi
    if ! grep -qE 'Could not find|not found in' "$log"; then explain_failure "$log"; fi
    detail "vendor/cache does not hold everything"
  fi
  step "Installing gems with bundle install"
  bundle install --jobs 4 --retry 2 >"$log" 2>&1 || explain_failure "$log"
  indent <"$log"
}

explain_failure() {
  local asked added
  indent <"$1"
  asked=$(sed -nE 's/^\[!\] There was an error parsing `Gemfile`: (.+[^.])\.?$/\1/p' "$1" | head -n 1)
  [[ -z "$asked" ]] || fail "Gemfile does not parse: $asked. Correct it."
  ! grep -qE 'Gemfile\.lock contains merge conflicts|parsing your lockfile|Unable to (parse|read).*Gemfile\.lock' "$1" ||
    fail "Gemfile.lock does not parse. Run bundle install and commit Gemfile.lock."
  asked=$(sed -nE 's/^Your Ruby version is [^,]+, but your Gemfile specified (.+)$/\1/p' "$1" | head -n 1)
  [[ -z "$asked" ]] || fail "Ruby version \"$asked\" in Gemfile cannot be had. Write ruby \"~> 3.1.0\" there: what can be had is Ruby $ruby_version."
  if grep -qE 'deployment mode after changing|deployment.* set to frozen|frozen mode' "$1"; then
    added=$(sed -nE '/added to the Gemfile/,/^$/ s/^\* (.+)$/\1/p' "$1" | head -n 1)
    fail "Gemfile.lock is out of step with Gemfile${added:+: $added is missing from it}. Run bundle install and commit Gemfile.lock."
  fi
  ! grep -q 'Your bundle only supports platforms' "$1" || fail "Gemfile.lock is for other platforms than Linux. Run bundle lock --add-platform $(uname -m)-linux and commit Gemfile.lock."
  fail "Installing gems with bundle install failed. Its output is above."
}
