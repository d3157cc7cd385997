install_files() { printf '%s\n' package.json .npmrc; }
install_command() { if [[ -n "$lock" ]]; then printf 'npm ci'; else printf 'npm install'; fi; }

# run_install all|production
run_install() {
  local omit=--omit=dev command
  [[ "$1" == production ]] || omit=--include=dev
  read -ra command <<<"$(install_command)"
  "${command[@]}" "$omit"
}

run_prune() { npm prune --omit=dev --ignore-scripts; }
run_script() { npm run "$1"; }
start_command='["npm", "start"]'

# What the log says about a lock file that is out of step.
drift() {
  sed -nE -e "s/^npm (ERR!|error) +Missing: (.+) from lock file.*/\2 is missing from it/p" \
    -e "s/^npm (ERR!|error) +Invalid: lock file's (.+) does not satisfy (.+)$/it holds \2 where package.json asks for \3/p" "$1" | head -n 1
}
