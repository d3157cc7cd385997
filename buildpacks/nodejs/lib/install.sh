# Layers: `deps` (launch, cache) what runs; `build-deps` (cache) with development dependencies, when there is a build script;
# `<manager>-cache` (cache) its downloads. The first two hold the key they were made from in their metadata.

# Raise when the way of installing changes what comes out.
layer_schema=2
modules=/workspace/node_modules
package_cache=$CNB_LAYERS_DIR/$manager-cache

build_script() {
  local name
  for name in heroku-postbuild heroku-build build; do
    has_script "$name" && printf '%s' "$name" && return
  done
  return 0
}

# Scripts of the app itself, workspaces and links run against or point to its files, so they are installed where these are.
installs_in_place() {
  [[ -n "$place" ]] || if belongs_in_place; then place=app; else place=layer; fi
  [[ "$place" == app ]]
}

# Told once: what the app's own scripts write is no reason to do the second half of the work in another place.
place=''
belongs_in_place() {
  local name
  for name in preinstall install postinstall prepublish preprepare prepare postprepare; do
    has_script "$name" && return 0
  done
  [[ -d prisma || -d patches || -f binding.gyp ]] && return 0
  [[ "$manager" == berry ]] && { plugs || [[ -d .yarn/patches ]]; } && return 0
  is_workspace && return 0
  [[ "$lock" == *.json ]] && jq -e '[.packages // {} | .[] | select(.link == true)] | length > 0' "$lock" >/dev/null && return 0
  jq -e '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {}) | add | [.[] | strings | select(test("^(file:|link:|portal:|workspace:|\\.)"))] | length > 0' package.json >/dev/null
}

# Packages of a workspace have development dependencies of their own.
is_workspace() {
  if [[ "$manager" == pnpm ]]; then grep -qs '^packages:' pnpm-workspace.yaml; else jq -e '.workspaces != null' package.json >/dev/null; fi
}

has_development_dependencies() { jq -e '.devDependencies // {} | length > 0' package.json >/dev/null; }
has_dependencies() { [[ -n "$lock" ]] || jq -e '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {}) | add | length > 0' package.json >/dev/null; }

warn_of_checked_in_modules() {
  [[ -e "$modules" ]] || return 0
  warn "node_modules is in the repository; it is replaced. Remove it and add it to .gitignore."
  rm -rf "$modules"
}

keeps_cache() { [[ "${NODE_MODULES_CACHE:-true}" != false ]]; }

forget_cache() {
  keeps_cache || rm -rf "$CNB_LAYERS_DIR/deps" "$CNB_LAYERS_DIR/build-deps" "$package_cache"
}

# A folder of a workspace that is built alone misses the packages beside it.
check_workspace() {
  local name
  name=$(jq -r '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {} | to_entries) | add | map(select(.value | strings | startswith("workspace:"))) | .[0].key // empty' package.json)
  [[ -z "$name" ]] || is_workspace ||
    fail "package.json names $name of a workspace whose root is not what is built. Let the root of the workspace be the app's build-dir (builder:set), or name a version of $name that a registry has."
}

install_dependencies() {
  check_workspace
  has_dependencies || { detail "No dependencies to install"; return 0; }
  [[ -n "$lock" ]] || warn_of_missing_lock
  if installs_in_place; then
    install_in_place
  elif prunes; then
    install_layer build-deps all
  else
    install_layer deps "$(kept_set)"
  fi
}

# What is there when the app runs.
kept_set() { if [[ "$development" == always ]]; then printf all; else printf production; fi; }

# Whether more is there for the build script.
prunes() { [[ "$development" == build && -n "$(build_script)" ]] && { has_development_dependencies || is_workspace; }; }

# After a build script only what runs is kept.
prune_dependencies() {
  has_dependencies && prunes || return 0
  if installs_in_place; then
    step "Removing development dependencies"
    run_prune 2>&1 | indent || fail "Removing development dependencies failed. Its output is above."
  else
    install_layer deps production
  fi
}

install_in_place() {
  step "Installing dependencies in the app's folder with $(install_command)"
  local which
  which=$(kept_set)
  ! prunes || which=all
  install_in /workspace "$which"
  keep_cache
}

# install_layer NAME all|production
install_layer() {
  local name=$1 which=$2 layer=$CNB_LAYERS_DIR/$1 key file
  key=$(layer_key "$which")
  if [[ -d "$layer/node_modules" && "$(restored_key "$layer")" == "$key" ]]; then
    step "Reusing dependencies ($name): ${lock:-package.json}, Node and $manager are unchanged"
  else
    step "Installing dependencies with $(install_command) ($which)"
    rm -rf "$layer"
    mkdir -p "$layer"
    while read -r file; do
      [[ ! -e "$file" ]] || cp -R "$file" "$layer/$file"
    done < <(install_files; printf '%s\n' "$lock")
    install_in "$layer" "$which"
    find "$layer" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
    mkdir -p "$layer/node_modules"
  fi
  local launch=false
  [[ "$name" != deps ]] || launch=true
  printf '[types]\nlaunch = %s\ncache = true\n\n[metadata]\nkey = "%s"\n' "$launch" "$key" >"$layer.toml"
  keep_cache
  ln -sfn "$layer/node_modules" "$modules"
}

# Plug'n'Play runs from the cache itself.
keep_cache() {
  local launch=false
  [[ "$manager" == berry ]] && plugs && launch=true
  printf '[types]\nlaunch = %s\ncache = true\n' "$launch" >"$package_cache.toml"
  mkdir -p "$package_cache"
}

layer_key() {
  {
    printf '%s\n' "$layer_schema" "$node_version" "$manager" "$program_version" "$1" "$NODE_ENV" "$(uname -m)"
    [[ -z "$lock" ]] || cat "$lock"
    jq -cS '[.dependencies, .devDependencies, .optionalDependencies, .peerDependencies, .overrides, .resolutions, .bundleDependencies, .allowScripts, .pnpm, .trustedDependencies, .dependenciesMeta]' package.json
    local file
    while read -r file; do
      case "$file" in
        package.json) ;;
        .yarn) find .yarn -type f ! -path '.yarn/cache/*' 2>/dev/null | LC_ALL=C sort | xargs -r -d '\n' sha256sum ;;
        *) [[ ! -f "$file" ]] || grep -viE '_auth|_password|token' "$file" || true ;;
      esac
    done < <(install_files)
    env | grep -iE '^npm_config_(omit|include|production|legacy_peer_deps|install_strategy|registry)=' | sort || true
  } | sha256sum | cut -d ' ' -f 1
}

# npm is not started for it: its manifest says the same.
read_versions() {
  local manifest
  node_version=$(node --version)
  manifest=$(readlink -f "$(type -P "$manager_program")")
  manifest=${manifest%/bin/*}/package.json
  if [[ "$manager" == npm && -f "$manifest" ]] && program_version=$(jq -er .version "$manifest"); then return; fi
  program_version=$("$manager_program" --version)
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$1.toml" 2>/dev/null || true; }

# What `drift` says of a lock file that its own tool cannot read.
unreadable='it does not parse'

# install_in FOLDER all|production
install_in() {
  local log=/tmp/install-output said
  if (cd "$1" && run_install "$2") >"$log" 2>&1; then
    indent <"$log"
    return 0
  fi
  said=$(drift "$log")
  [[ -z "$said" || "$said" != "$unreadable" ]] || fail "$lock does not parse. Delete it, run $manager_program install and commit it."
  [[ -z "$said" ]] || fail "$lock is out of step with package.json: $said. Run $manager_program install and commit $lock."
  indent <"$log"
  fail "Installing dependencies with $(install_command) failed. Its output is above."
}

warn_of_missing_lock() {
  local name
  case "$manager" in
    npm) name=package-lock.json ;;
    pnpm) name=pnpm-lock.yaml ;;
    yarn | berry) name=yarn.lock ;;
    bun) name=bun.lock ;;
  esac
  warn "There is no $name, so versions may differ from push to push. Run $manager_program install and commit $name."
}
