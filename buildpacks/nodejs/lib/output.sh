step() { printf -- '-----> %s\n' "$*"; }
detail() { printf '       %s\n' "$*"; }
warn() { printf ' !     %s\n' "$*"; }
indent() { sed -u 's/^/       /'; }

# Ends the build with one sentence for the person who pushed.
fail() {
  printf 'message = %s\n' "$(jq -cRs . < <(printf '%s' "$*"))" >"$CNB_LAYERS_DIR/failure.toml"
  exit 1
}

# field FILTER [DEFAULT]: a string of package.json.
field() {
  local value
  value=$(jq -r "($1) // empty | strings" package.json)
  printf '%s' "${value:-${2-}}"
}

# Names of the scripts of package.json, a line each: read once, since a process for each question adds up.
script_names=''
read_scripts() {
  script_names=$(jq -r '.scripts | objects | to_entries[] | select(.value | type == "string" and . != "") | .key | select(contains("\n") | not)' package.json)
}

has_script() { [[ $'\n'$script_names$'\n' == *$'\n'"$1"$'\n'* ]]; }

# toml_list NAME VALUE...: `NAME = ["VALUE", ...]`
toml_list() {
  local name=$1
  shift
  printf '%s = %s\n' "$name" "$(jq -cn '$ARGS.positional' --args -- "$@")"
}
