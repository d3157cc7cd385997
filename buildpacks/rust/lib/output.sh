step() { printf -- '-----> %s\n' "$*"; }
detail() { printf '       %s\n' "$*"; }
warn() { printf ' !     %s\n' "$*"; }
indent() { sed -u 's/^/       /'; }

# Ends the build with one sentence for the person who pushed.
fail() {
  printf 'message = %s\n' "$(jq -cRs . < <(printf '%s' "$*"))" >"$CNB_LAYERS_DIR/failure.toml"
  exit 1
}
