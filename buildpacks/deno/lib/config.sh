# The app's tasks see its config, except what would change the tools themselves.
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
  export DENO_DIR=$CNB_LAYERS_DIR/deps DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1 NO_COLOR=1 CI=true
  [[ -z "${SSL_CERT_FILE:-}" ]] || export DENO_CERT=${DENO_CERT:-$SSL_CERT_FILE}
  [[ -z "${npm_config_registry:-}" ]] || export NPM_CONFIG_REGISTRY=${NPM_CONFIG_REGISTRY:-$npm_config_registry}
}

settings='{}' settings_file=''

# deno.json may hold comments and trailing commas, which only JavaScript itself reads.
read_settings() {
  local name said
  for name in deno.json deno.jsonc; do
    [[ -z "$settings_file" && -f "$name" ]] && settings_file=$name
  done
  [[ -n "$settings_file" ]] || return 0
  if ! said=$(deno eval --no-config --no-lock \
    "console.log(JSON.stringify((0, eval)('(' + Deno.readTextFileSync('$settings_file') + '\n)')))" 2>&1); then
    fail "$settings_file is not valid: $(grep -m 1 -E 'Error' <<<"$said" | sed -E 's/^.*(SyntaxError|Error): //' | head -c 200). Correct it."
  fi
  settings=$said
}

# task NAME: its command.
task() { jq -r --arg name "$1" '.tasks[$name]? | (.command? // .) | strings' <<<"$settings"; }
