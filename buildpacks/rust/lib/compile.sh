# Layers: `target` and `cargo-home` (cache) what cargo keeps between builds; `programs` (launch) what came out.

compile() {
  local log=/tmp/cargo-output flags=(--release)
  mkdir -p "$CARGO_HOME" "$CARGO_TARGET_DIR"
  use_vendored
  if [[ -f Cargo.lock ]]; then
    flags+=(--locked)
  else
    warn "There is no Cargo.lock, so versions may differ from push to push. Run cargo generate-lockfile and commit Cargo.lock."
  fi
  step "Compiling with cargo build ${flags[*]}"
  read_packages "${flags[@]:1}"
  forget_own_packages
  # Shown as it comes, since it may take minutes.
  if ! cargo build "${flags[@]}" 2>&1 | tee "$log" | indent; then
    ! grep -q 'needs to be updated but --locked' "$log" || fail_for_drift
    fail "cargo build failed. Its output is above."
  fi
  printf '[types]\ncache = true\n' | tee "$CARGO_HOME.toml" >"$CARGO_TARGET_DIR.toml"
}

packages=''
read_packages() {
  local log=/tmp/cargo-metadata
  if ! packages=$(cargo metadata --format-version 1 "$@" 2>"$log"); then
    ! grep -q 'needs to be updated but --locked' "$log" || fail_for_drift
    indent <"$log"
    ! grep -q '^error: failed to parse lock file' "$log" || fail "Cargo.lock does not parse. Delete it, run cargo generate-lockfile and commit it."
    explain_manifest "$log"
  fi
}

# Says which manifest it is and, if cargo does, where in it.
explain_manifest() {
  local file place
  file=$(sed -nE 's|^error: failed to parse manifest at `/workspace/(.+)`$|\1|p' "$1" | head -n 1)
  place=$(sed -nE 's/^ *TOML parse error at (line [0-9]+, column [0-9]+)$/it does not parse at \1/p' "$1" | head -n 1)
  [[ -n "$place" ]] || place=$(grep -vE '^ *$' "$1" | tail -n 1 | sed -E 's/^ +//; s/^error: //')
  fail "${file:-Cargo.toml} cannot be used: ${place%.}. Correct it."
}

fail_for_drift() { fail "Cargo.lock is out of step with Cargo.toml. Run cargo update --workspace and commit Cargo.lock."; }

# `cargo vendor` prints settings that not everybody commits.
use_vendored() {
  rm -f "$CARGO_HOME/config.toml"
  [[ -d vendor && ! -f .cargo/config.toml && ! -f .cargo/config ]] || return 0
  detail "Using the crates in vendor"
  printf '[source.crates-io]\nreplace-with = "vendored"\n\n[source.vendored]\ndirectory = "/workspace/vendor"\n' >"$CARGO_HOME/config.toml"
}

# Cargo tells what changed by the time of files, but after a step back in history the app's files are older than what was
# compiled from newer ones. So what belongs to the app is always compiled; crates are told apart by their checksums.
forget_own_packages() {
  local name
  while read -r name; do
    rm -rf "$CARGO_TARGET_DIR"/release/.fingerprint/"$name"-[0-9a-f]*
  done < <(jq -r '.packages[] | select(.source == null) | .name' <<<"$packages")
}

# Names of the programs that the workspace makes, the main one first.
programs() {
  jq -r '
    .workspace_members as $members
    | [.packages[] | select(.id as $id | $members | index($id))
       | (.default_run // .name) as $main
       | .targets[] | select(.kind | index("bin")) | { name, main: (.name == $main) }]
    | sort_by(.main | not) | .[].name' <<<"$packages"
}

install_programs() {
  local layer=$CNB_LAYERS_DIR/programs name names
  mapfile -t names < <(programs)
  rm -rf "$layer"
  mkdir -p "$layer/bin"
  for name in "${names[@]}"; do
    [[ -f "$CARGO_TARGET_DIR/release/$name" ]] || continue
    cp "$CARGO_TARGET_DIR/release/$name" "$layer/bin/$name"
    strip "$layer/bin/$name" 2>/dev/null || true
  done
  printf '[types]\nlaunch = true\n' >"$layer.toml"
  if ((${#names[@]} == 0)); then
    [[ -f Procfile ]] || fail "Cargo.toml makes no program. Add src/main.rs, or a Procfile that says what runs."
    warn "Cargo.toml makes no program."
    return
  fi
  detail "Programs: ${names[*]}"
  printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$(jq -cn '[$name]' --arg name "${names[0]}")" >"$CNB_LAYERS_DIR/launch.toml"
}
