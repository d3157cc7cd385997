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
  export npm_config_cache=$CNB_LAYERS_DIR/npm-cache
  export npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false npm_config_logs_max=0 npm_config_loglevel=${npm_config_loglevel:-error}
  # Where the headers are, if the plan asked for them; node-gyp would download them.
  [[ ! -d /layers/wherry_runtime/node/include ]] || export npm_config_nodedir=/layers/wherry_runtime/node
}
