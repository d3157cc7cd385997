# Build scripts see the app's config, except what would change the tools themselves.
load_config() {
  local file name
  for file in "$CNB_PLATFORM_DIR"/env/*; do
    [[ -f "$file" ]] || continue
    name=${file##*/}
    case "$name" in
      PATH | HOME | PWD | SHELL | IFS | ENV | BASH_* | LD_* | CNB_* | GIT_DIR | PORT | DYNO | CARGO_HOME | CARGO_TARGET_DIR) continue ;;
    esac
    export "$name=$(cat "$file"; printf x)"
    export "$name=${!name%x}"
  done
  export CARGO_HOME=$CNB_LAYERS_DIR/cargo-home CARGO_TARGET_DIR=$CNB_LAYERS_DIR/target
  # Incremental files are larger than what they save on the next push.
  export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never
  [[ -z "${SSL_CERT_FILE:-}" ]] || export CARGO_HTTP_CAINFO=${CARGO_HTTP_CAINFO:-$SSL_CERT_FILE}
}
