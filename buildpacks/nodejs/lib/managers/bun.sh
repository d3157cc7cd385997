install_files() { printf '%s\n' package.json .npmrc bunfig.toml; }
install_command() { if [[ -n "$lock" ]]; then printf 'bun install --frozen-lockfile'; else printf 'bun install'; fi; }

# Copies instead of hard links into its cache: a link would change the cache's layer.
run_install() {
  local command
  read -ra command <<<"$(install_command)"
  [[ "$1" == all ]] || command+=(--production)
  "${command[@]}" --backend=copyfile --no-progress
}

run_prune() {
  rm -rf node_modules
  run_install production
}
run_script() { bun run "$1"; }
start_command='["bun", "run", "start"]'
main_runner=bun

drift() {
  grep -qE 'lockfile (had changes|is frozen)' "$1" || return 0
  missing_from_lock bun
}
