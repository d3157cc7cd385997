# Layers: `packages` (launch, cache) the vendor folder that the lock file names; `downloads` (cache) what Composer fetched.
# vendor in the app's folder is a link to the former; Composer works out paths between the two by itself.

# Raise when the way of installing changes what comes out.
layer_schema=1

# filter FILTER: whether a jq filter holds for composer.json.
manifest() { [[ -f composer.json ]] && jq -e "$1" composer.json >/dev/null; }
locked() { [[ -f composer.lock ]] && jq -e "$1" composer.lock >/dev/null 2>&1; }

has_packages() { manifest '.require // {} | objects | keys | map(select(test("/"))) | length > 0'; }
has_script() { manifest ".scripts[\"$1\"] != null"; }

# Installers put packages outside of vendor, and copies of local packages change with the code: these need the app's folder.
installs_in_place() {
  locked '[.packages[] | select(.name | test("(^composer/installers|installer|installers)$"))] | length > 0' ||
    manifest '[.repositories // [] | .[] | objects | select(.options.symlink? == false)] | length > 0' ||
    manifest '.config["vendor-dir"] != null'
}

# Where the class map or scripts read the app's own code.
reads_code() {
  manifest '(.config["optimize-autoloader"] // .config["classmap-authoritative"] // false) == true' ||
    manifest '(.autoload.classmap // .autoload["psr-0"]) != null' || has_scripts || installs_in_place
}

has_scripts() {
  local name
  for name in post-autoload-dump post-install-cmd compile; do ! has_script "$name" || return 0; done
  return 1
}

check_requirements() {
  local extension asked
  extension=$(unknown_extension)
  [[ -z "$extension" ]] || fail "PHP extension $extension, which composer.json or a package requires as ext-$extension, cannot be had here. Remove it or a package that needs it."
  [[ -f composer.json ]] || return 0
  asked=$(jq -r '.require.php? // empty | strings' composer.json)
  [[ -z "$asked" ]] || php_fits "$asked" || fail "PHP version \"$asked\" in composer.json cannot be had. Set require.php to one that PHP $php_version fits, such as \"^8.2\"."
  if has_packages && [[ ! -f composer.lock ]]; then
    fail "composer.lock is missing, so nobody knows which versions to install. Run composer update and commit composer.lock."
  fi
}

# By the library that Composer itself compares versions with.
php_fits() {
  php -r 'require "/usr/share/php/Composer/Semver/autoload.php"; try { exit(Composer\Semver\Semver::satisfies(PHP_VERSION, $argv[1]) ? 0 : 1); } catch (Throwable) { exit(1); }' -- "$1"
}

install_packages() {
  [[ -f composer.json ]] || return 0
  if [[ -e vendor ]]; then
    warn "vendor is in the repository; it is replaced. Remove it and add it to .gitignore."
    rm -rf vendor
  fi
  if installs_in_place; then
    step "Installing packages in the app's folder with composer install"
    run_composer install --no-dev --no-progress --prefer-dist --no-scripts
  else
    install_layer
  fi
  printf '[types]\ncache = true\n' >"$COMPOSER_CACHE_DIR.toml"
  mkdir -p "$COMPOSER_CACHE_DIR"
}

install_layer() {
  local layer=$CNB_LAYERS_DIR/packages key
  key=$(layer_key)
  ln -sfn "$layer" vendor
  if [[ -f "$layer/autoload.php" && "$(restored_key "$layer")" == "$key" ]]; then
    step "Reusing packages: composer.json, composer.lock and PHP are unchanged"
    ! reads_code || run_composer dump-autoload --no-dev --no-scripts
  else
    rm -rf "$layer"
    mkdir -p "$layer"
    if [[ -f composer.lock ]]; then
      step "Installing packages with composer install --no-dev"
      run_composer install --no-dev --no-progress --prefer-dist --no-scripts
    else
      run_composer dump-autoload --no-dev --no-scripts
    fi
  fi
  printf '[types]\nlaunch = true\ncache = true\n\n[metadata]\nkey = "%s"\n' "$key" >"$layer.toml"
}

layer_key() {
  {
    printf '%s\n' "$layer_schema" "$php_version" "$composer_version" "$(uname -m)"
    cat composer.json
    [[ ! -f composer.lock ]] || cat composer.lock
  } | sha256sum | cut -d ' ' -f 1
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$1.toml" 2>/dev/null || true; }

run_scripts() {
  local name
  for name in post-autoload-dump post-install-cmd compile; do
    has_script "$name" || continue
    step "Running the script $name of composer.json"
    composer run-script --no-dev "$name" 2>&1 | indent || fail "The script $name of composer.json failed. Its output is above."
  done
}

# run_composer COMMAND...
run_composer() {
  local log=/tmp/composer-output
  if composer "$@" >"$log" 2>&1; then
    sed -E '/^(Generating autoload files|No installed packages - skipping audit\.)$/d' "$log" | indent
    return 0
  fi
  indent <"$log"
  local missing
  missing=$(sed -nE 's/^- Required package "([^"]+)" is (not present in the lock file|in the lock file as .* but that does not satisfy your constraint .*)\.$/\1/p' "$log" | head -n 1)
  [[ -z "$missing" ]] || fail "composer.lock is out of step with composer.json: it does not hold $missing as asked for. Run composer update and commit composer.lock."
  fail "composer $1 failed. Its output is above."
}
