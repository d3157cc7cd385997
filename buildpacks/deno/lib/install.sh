# Layer `deps` (launch, cache): Deno's folder of downloads, with the key it was made from in its metadata.

# Raise when the way of installing changes what comes out.
layer_schema=1

# The file that starts the app.
entry() {
  local name
  name=$(task start | grep -oE '[A-Za-z0-9_./-]+\.(ts|tsx|mts|js|jsx|mjs)' | head -n 1)
  for name in "$name" main.ts main.tsx main.js server.ts server.js mod.ts index.ts; do
    [[ -n "$name" && -f "$name" ]] && printf '%s' "$name" && return
  done
  return 0
}

install_dependencies() {
  local layer=$CNB_LAYERS_DIR/deps key main
  key=$(layer_key)
  # Before the task build the app may lack files that it imports.
  main=$([[ -n "$(task build)" ]] || entry)
  if [[ -f deno.lock && -d "$layer" && "$(restored_key "$layer")" == "$key" ]]; then
    step "Reusing dependencies: deno.lock and Deno are unchanged"
  else
    step "Installing dependencies"
    rm -rf "$layer"
    mkdir -p "$layer"
    if [[ -f deno.lock ]]; then
      download --frozen "$main"
    else
      warn "There is no deno.lock, so versions may differ from push to push. Run deno install and commit deno.lock."
      download --no-lock "$main"
    fi
    tidy_downloads
  fi
  mkdir -p "$layer/env.launch"
  printf '%s' "$layer" >"$layer/env.launch/DENO_DIR.default"
  printf 1 >"$layer/env.launch/DENO_NO_UPDATE_CHECK.default"
  printf '[types]\nlaunch = true\ncache = true\n\n[metadata]\nkey = "%s"\n' "$key" >"$layer.toml"
}

# What differs from host to host and from day to day; Deno makes it again.
tidy_downloads() { rm -f "$DENO_DIR"/*_cache_v* "$DENO_DIR"/npm/*/*/registry.json "$DENO_DIR"/npm/*/@*/*/registry.json; }

# download LOCKING MAIN
download() {
  local log=/tmp/deno-output
  if { deno install "$1" && { [[ -z "$2" ]] || deno cache "$1" "$2"; }; } >"$log" 2>&1; then
    indent <"$log"
    return 0
  fi
  if grep -q 'lockfile is out of date' "$log"; then
    local name
    name=$(sed -nE 's/^.*\| *\+ +"([^"]+)".*/\1/p' "$log" | head -n 1)
    fail "deno.lock is out of step with the app${name:+: $name is missing from it}. Run deno install and commit deno.lock."
  fi
  ! grep -q 'Failed reading lockfile' "$log" || fail "deno.lock does not parse. Delete it, run deno install and commit deno.lock."
  indent <"$log"
  fail "Installing dependencies with deno install failed. Its output is above."
}

layer_key() {
  {
    printf '%s\n' "$layer_schema" "$(deno --version)" "$(uname -m)" "${NPM_CONFIG_REGISTRY:-}" "${JSR_URL:-}"
    cat deno.lock 2>/dev/null || true
    jq -cS '[.imports, .importMap, .scopes, .nodeModulesDir, .vendor, .workspace, .links]' <<<"$settings"
    [[ ! -f package.json ]] || jq -cS '[.dependencies, .devDependencies]' package.json
  } | sha256sum | cut -d ' ' -f 1
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$1.toml" 2>/dev/null || true; }
