# The app's code sees its config, except what would change the tools themselves.
load_config() {
  local file name
  for file in "$CNB_PLATFORM_DIR"/env/*; do
    [[ -f "$file" ]] || continue
    name=${file##*/}
    case "$name" in
      PATH | HOME | PWD | SHELL | IFS | ENV | BASH_* | LD_* | CNB_* | GIT_DIR | PORT | DYNO | RUBYOPT | RUBYLIB | GEM_* | BUNDLE_PATH | BUNDLE_APP_CONFIG | BUNDLE_GEMFILE) continue ;;
    esac
    export "$name=$(cat "$file"; printf x)"
    export "$name=${!name%x}"
  done
  export RACK_ENV=${RACK_ENV:-production}
  export RAILS_ENV=${RAILS_ENV:-$RACK_ENV} BUNDLE_WITHOUT=${BUNDLE_WITHOUT:-development:test}
  export BUNDLE_PATH=$gem_layer BUNDLE_APP_CONFIG=$gem_layer/config BUNDLE_DEPLOYMENT=true
  # Downloads are kept between builds; the Bundler of Debian is the one that runs, whichever wrote the lock file.
  export BUNDLE_GLOBAL_GEM_CACHE=true BUNDLE_USER_CACHE=$CNB_LAYERS_DIR/downloads BUNDLE_SILENCE_ROOT_WARNING=true
  BUNDLER_VERSION=$(bundle --version | sed -n 's/^Bundler version //p')
  export BUNDLER_VERSION
}
