install_files() { printf '%s\n' package.json .npmrc pnpm-workspace.yaml .pnpmfile.cjs .pnpmfile.mjs; }
install_command() { if [[ -n "$lock" ]]; then printf 'pnpm install --frozen-lockfile'; else printf 'pnpm install'; fi; }

# Copies instead of hard links into its store: a link would change the store's layer.
run_install() {
  local production=false frozen=--no-frozen-lockfile
  [[ "$1" == all ]] || production=true
  [[ -z "$lock" ]] || frozen=--frozen-lockfile
  pnpm install "$frozen" --prefer-offline "--prod=$production" --store-dir "$package_cache" --package-import-method copy \
    --reporter append-only
}

# `pnpm prune` knows one package only. Installing again removes what is left out and does not touch the rest.
run_prune() {
  if is_workspace; then
    pnpm install --prod "$([[ -n "$lock" ]] && printf -- --frozen-lockfile || printf -- --no-frozen-lockfile)" --offline --ignore-scripts \
      --store-dir "$package_cache" --package-import-method copy --reporter append-only
    return
  fi
  pnpm prune --prod --ignore-scripts --store-dir "$package_cache"
}
run_script() { pnpm run "$1"; }
start_command='["pnpm", "start"]'

drift() {
  ! grep -qF ERR_PNPM_BROKEN_LOCKFILE "$1" || { printf '%s' "$unreadable"; return; }
  if [[ -n "$lock" ]] && grep -qE 'ERR_PNPM_(NO_LOCKFILE|LOCKFILE_BREAKING_CHANGE)' "$1"; then
    printf 'it is of another version of pnpm than %s' "$(pnpm --version)"
    return
  fi
  grep -qE 'ERR_PNPM_(OUTDATED_LOCKFILE|LOCKFILE_CONFIG_MISMATCH)' "$1" || return 0
  missing_from_lock pnpm
}
