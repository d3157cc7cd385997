install_files() { printf '%s\n' package.json .npmrc .yarnrc; }
install_command() { if [[ -n "$lock" ]]; then printf 'yarn install --frozen-lockfile'; else printf 'yarn install'; fi; }

run_install() {
  local production=false command
  [[ "$1" == all ]] || production=true
  read -ra command <<<"$(install_command)"
  "${command[@]}" --non-interactive --no-progress --prefer-offline "--production=$production"
}

run_prune() { yarn install --frozen-lockfile --non-interactive --no-progress --offline --ignore-scripts --production=true; }
run_script() { yarn run --non-interactive "$1"; }
start_command='["yarn", "start"]'

drift() {
  grep -qE 'lockfile needs to be updated' "$1" || return 0
  missing_from_lock yarn
}
