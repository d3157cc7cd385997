install_files() { printf '%s\n' package.json .yarnrc.yml .yarn; }
install_command() { printf 'yarn install'; }

# The way dependencies are linked, which is Plug'n'Play unless .yarnrc.yml says otherwise.
linker() { sed -nE "s/^nodeLinker: *[\"']?([a-z-]+)[\"']?.*/\1/p" .yarnrc.yml 2>/dev/null | head -n 1; }
plugs() { [[ "$(linker)" == pnp || -z "$(linker)" ]]; }

# A cache in the repository is the one to use; a resolver without it would point to nothing.
prepare_manager() {
  plugs || return 0
  if [[ -d .yarn/cache ]]; then unset YARN_CACHE_FOLDER; else rm -f .pnp.cjs .pnp.loader.mjs; fi
}

# --immutable refuses a lock file of another version of Yarn even if it is in step, and `workspaces focus`, which alone
# leaves development dependencies out, never looks. So what the lock file names is compared here.
run_install() {
  local before
  [[ -z "$lock" || -z "$(first_missing berry)" ]] || { echo "$out_of_step"; return 1; }
  if [[ "$1" == production ]] && can_focus; then
    yarn workspaces focus --all --production
    return
  fi
  before=$(descriptors)
  yarn install --no-immutable || return
  [[ -z "$lock" || "$(descriptors)" == "$before" ]] || { echo "$out_of_step"; return 1; }
}

out_of_step='The lock file names other dependencies than package.json.'
descriptors() { grep -E '^"?[@a-z]' yarn.lock 2>/dev/null | LC_ALL=C sort; }

# Yarn before 4 has it in a plugin that the repository may not hold.
can_focus() { [[ "$(yarn --version)" != [23].* ]] || grep -qs plugin-workspace-tools .yarnrc.yml; }

run_prune() {
  if can_focus; then yarn workspaces focus --all --production
  else echo "Development dependencies are kept: this version of Yarn needs plugin-workspace-tools to remove them."
  fi
}
run_script() { yarn run "$1"; }
start_command='["yarn", "start"]'

drift() {
  grep -qF "$out_of_step" "$1" || return 0
  missing_from_lock berry
}
