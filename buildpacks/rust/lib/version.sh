# Rust is Debian's; what the app asks for is held against it.
check_version() {
  local have asked file=''
  have=$(rustc --version | awk '{ print $2 }')
  for name in rust-toolchain.toml rust-toolchain; do
    [[ -z "$file" && -f "$name" ]] && file=$name
  done
  if [[ -n "$file" ]]; then
    asked=$(sed -nE 's/^ *channel *= *"([^"]+)".*/\1/p' "$file" | head -n 1)
    [[ -n "$asked" ]] || asked=$(grep -m 1 -E '^[A-Za-z0-9.-]+$' "$file" || true)
    case "$asked" in
      '' | stable | "$have" | "${have%.*}") ;;
      *) fail "$file asks for Rust ${asked:0:40}, and $have is what can be had. Write stable or ${have%.*}, or remove the file." ;;
    esac
  fi
  asked=$(sed -nE 's/^ *rust-version *= *"([0-9.]+)".*/\1/p' Cargo.toml | head -n 1)
  if [[ -n "$asked" && "$(printf '%s\n' "$asked" "$have" | sort -V | tail -n 1)" != "$have" ]]; then
    fail "Cargo.toml asks for Rust $asked (rust-version), and $have is what can be had. Lower it."
  fi
  if grep -qsE '^version = ([4-9]|[0-9]{2,})$' Cargo.lock; then
    fail "Cargo.lock is of a version that Rust $have cannot read. Set rust-version to ${have%.*} in Cargo.toml, delete Cargo.lock, run cargo generate-lockfile and commit it."
  fi
}
