# Layers: `deps` (launch, cache) what runs; `build-deps` (cache) with development dependencies, when there is a build script;
# `npm-cache` (cache) npm's downloads. Each holds the key it was made from in its metadata.

# Raise when the way of installing changes what comes out.
layer_schema=1
modules=/workspace/node_modules

lock_file() {
  local name
  for name in npm-shrinkwrap.json package-lock.json; do
    [[ -f "$name" ]] && printf '%s' "$name" && return
  done
  return 0
}

lock=$(lock_file)

build_script() {
  if has_script heroku-postbuild; then printf heroku-postbuild
  elif has_script build; then printf build
  fi
}

# Scripts of the app itself, workspaces and links run against or point to its files, so they are installed where these are.
installs_in_place() {
  local name
  for name in preinstall install postinstall prepublish preprepare prepare postprepare; do
    has_script "$name" && return 0
  done
  [[ -d prisma || -d patches || -f binding.gyp ]] && return 0
  jq -e '.workspaces != null' package.json >/dev/null && return 0
  [[ -n "$lock" ]] && jq -e '[.packages // {} | .[] | select(.link == true)] | length > 0' "$lock" >/dev/null && return 0
  jq -e '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {}) | add | [.[] | strings | select(test("^(file:|link:|\\.)"))] | length > 0' package.json >/dev/null
}

has_development_dependencies() { jq -e '.devDependencies // {} | length > 0' package.json >/dev/null; }
has_dependencies() { [[ -n "$lock" ]] || jq -e '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {}) | add | length > 0' package.json >/dev/null; }

warn_of_checked_in_modules() {
  [[ -e "$modules" ]] || return 0
  warn "node_modules is in the repository; it is replaced. Remove it and add it to .gitignore."
  rm -rf "$modules"
}

install_dependencies() {
  has_dependencies || { detail "No dependencies to install"; return 0; }
  [[ -n "$lock" ]] || warn_of_missing_lock
  if installs_in_place; then
    install_in_place
  elif [[ -n "$(build_script)" ]] && has_development_dependencies; then
    install_layer build-deps --include=dev
  else
    install_layer deps --omit=dev
  fi
}

# After a build script only what runs is kept.
prune_dependencies() {
  has_dependencies || return 0
  if installs_in_place; then
    [[ -n "$(build_script)" ]] && has_development_dependencies || return 0
    step "Removing development dependencies"
    npm prune --omit=dev --ignore-scripts 2>&1 | indent
  elif [[ -n "$(build_script)" ]] && has_development_dependencies; then
    install_layer deps --omit=dev
  fi
}

install_in_place() {
  step "Installing dependencies in the app's folder"
  local include=--omit=dev
  [[ -z "$(build_script)" ]] || include=--include=dev
  run_npm /workspace "$include"
}

# install_layer NAME FLAG
install_layer() {
  local name=$1 flag=$2 layer=$CNB_LAYERS_DIR/$1 key file
  key=$(layer_key "$flag")
  if [[ -d "$layer/node_modules" && "$(restored_key "$layer")" == "$key" ]]; then
    step "Reusing dependencies ($name): ${lock:-package.json}, Node and npm are unchanged"
  else
    step "Installing dependencies with $(install_command) $flag"
    rm -rf "$layer"
    mkdir -p "$layer"
    for file in package.json .npmrc ${lock:+"$lock"}; do
      [[ ! -f "$file" ]] || cp "$file" "$layer/$file"
    done
    run_npm "$layer" "$flag"
    rm -f "$layer/.npmrc" "$layer/package.json" "$layer/package-lock.json" "$layer/npm-shrinkwrap.json"
    mkdir -p "$layer/node_modules"
  fi
  local launch=false
  [[ "$name" != deps ]] || launch=true
  printf '[types]\nlaunch = %s\ncache = true\n\n[metadata]\nkey = "%s"\n' "$launch" "$key" >"$layer.toml"
  printf '[types]\ncache = true\n' >"$CNB_LAYERS_DIR/npm-cache.toml"
  mkdir -p "$npm_config_cache"
  ln -sfn "$layer/node_modules" "$modules"
}

layer_key() {
  {
    printf '%s\n' "$layer_schema" "$(node --version)" "$(npm --version)" "$1" "$NODE_ENV" "$(uname -m)"
    [[ -z "$lock" ]] || cat "$lock"
    jq -cS '[.dependencies, .devDependencies, .optionalDependencies, .peerDependencies, .overrides, .bundleDependencies, .allowScripts]' package.json
    [[ ! -f .npmrc ]] || grep -viE '_auth|_password|token' .npmrc || true
    env | grep -iE '^npm_config_(omit|include|production|legacy_peer_deps|install_strategy|registry)=' | sort || true
  } | sha256sum | cut -d ' ' -f 1
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$1.toml" 2>/dev/null || true; }

install_command() { if [[ -n "$lock" ]]; then printf 'npm ci'; else printf 'npm install'; fi; }

# run_npm FOLDER FLAG
run_npm() {
  local log=/tmp/npm-output
  read -ra command <<<"$(install_command)"
  if (cd "$1" && "${command[@]}" "$2") >"$log" 2>&1; then
    indent <"$log"
    return 0
  fi
  fail_for_drift "$log"
  indent <"$log"
  fail "Installing dependencies with ${command[*]} failed. Its output is above."
}

fail_for_drift() {
  local drift
  drift=$(sed -nE -e "s/^npm (ERR!|error) +Missing: (.+) from lock file.*/\2 is missing from it/p" \
    -e "s/^npm (ERR!|error) +Invalid: lock file's (.+) does not satisfy (.+)$/it holds \2 where package.json asks for \3/p" "$1" | head -n 1)
  [[ -z "$drift" ]] || fail "$lock is out of step with package.json: $drift. Run npm install and commit $lock."
}

warn_of_missing_lock() {
  local name other=""
  for name in yarn.lock pnpm-lock.yaml bun.lock bun.lockb; do [[ ! -f "$name" ]] || other=$name; done
  [[ -z "$other" ]] || warn "$other is not read: dependencies are installed with npm."
  warn "There is no package-lock.json, so versions may differ from push to push. Run npm install and commit package-lock.json."
}
