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

has_script() { [[ -n "$(field ".scripts[\"$1\"]?")" ]]; }

# toml_list NAME VALUE...: `NAME = ["VALUE", ...]`
toml_list() {
  local name=$1
  shift
  printf '%s = %s\n' "$name" "$(jq -cn '$ARGS.positional' --args -- "$@")"
}
