# The app's scripts see its config, except what would change the tools themselves.
load_config() {
  local file name
  for file in "$CNB_PLATFORM_DIR"/env/*; do
    [[ -f "$file" ]] || continue
    name=${file##*/}
    case "$name" in
      PATH | HOME | PWD | SHELL | IFS | ENV | BASH_* | LD_* | CNB_* | GIT_DIR | PORT | DYNO) continue ;;
    esac
    export "$name=$(cat "$file"; printf x)"
    export "$name=${!name%x}"
  done
  export NODE_ENV=${NODE_ENV:-production} CI=true
  export npm_config_cache=$package_cache YARN_CACHE_FOLDER=$package_cache BUN_INSTALL_CACHE_DIR=$package_cache
  # The version is the platform's choice already, and the registry the operator's.
  export npm_config_manage_package_manager_versions=false pnpm_config_pm_on_fail=ignore \
    YARN_ENABLE_GLOBAL_CACHE=false YARN_ENABLE_TELEMETRY=0 DO_NOT_TRACK=1
  local registry=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}}
  if [[ -n "$registry" ]]; then
    export YARN_NPM_REGISTRY_SERVER=${YARN_NPM_REGISTRY_SERVER:-$registry} BUN_CONFIG_REGISTRY=${BUN_CONFIG_REGISTRY:-$registry}
    [[ "$registry" != http://* ]] || export YARN_UNSAFE_HTTP_WHITELIST='**'
  fi
  export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false npm_config_logs_max=0 npm_config_loglevel=${npm_config_loglevel:-error}
  read_production
  # Where the headers are, if the plan asked for them; node-gyp would download them.
  [[ ! -d /layers/wherry_runtime/node/include ]] || export npm_config_nodedir=/layers/wherry_runtime/node
}

# Whether development dependencies are installed: for the build alone, unless the variable of npm or Yarn says never (true) or
# always (false), as on Heroku. The tools are told by their options.
development=build
read_production() {
  case "${YARN_PRODUCTION:-${NPM_CONFIG_PRODUCTION:-${npm_config_production:-}}}" in
    true) development=never ;;
    false) development=always ;;
  esac
  unset YARN_PRODUCTION NPM_CONFIG_PRODUCTION npm_config_production
}
