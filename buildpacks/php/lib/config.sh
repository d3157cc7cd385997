# The app's scripts see its config, except what would change the tools themselves.
load_config() {
  local file name
  for file in "$CNB_PLATFORM_DIR"/env/*; do
    [[ -f "$file" ]] || continue
    name=${file##*/}
    case "$name" in
      PATH | HOME | PWD | SHELL | IFS | ENV | BASH_* | LD_* | CNB_* | GIT_DIR | PORT | DYNO | PHP_INI_SCAN_DIR | PHPRC | COMPOSER | COMPOSER_HOME | COMPOSER_VENDOR_DIR | COMPOSER_CACHE_DIR) continue ;;
    esac
    export "$name=$(cat "$file"; printf x)"
    export "$name=${!name%x}"
  done
  export COMPOSER_HOME=/tmp/composer COMPOSER_CACHE_DIR=$CNB_LAYERS_DIR/downloads
  export COMPOSER_NO_INTERACTION=1 COMPOSER_NO_AUDIT=1 COMPOSER_DISABLE_XDEBUG_WARN=1 COMPOSER_MEMORY_LIMIT=-1
}
