# Runs before dependencies are installed, as on Heroku.
run_early_script() {
  has_script heroku-prebuild || return 0
  step "Running heroku-prebuild"
  run_script heroku-prebuild 2>&1 | indent || fail "The script heroku-prebuild of package.json failed. Its output is above."
  # It may have written package.json.
  read_scripts
}

# Runs last, in what is kept.
run_late_script() {
  has_script heroku-cleanup || return 0
  step "Running heroku-cleanup"
  run_script heroku-cleanup 2>&1 | indent || fail "The script heroku-cleanup of package.json failed. Its output is above."
}

run_build_script() {
  local script
  script=$(build_script)
  [[ -n "$script" ]] || return 0
  step "Running the build script ($script)"
  PATH=$modules/.bin:$PATH run_script "$script" 2>&1 | indent || fail "The build script $script of package.json failed. Its output is above."
}

# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local layer=$CNB_LAYERS_DIR/settings
  rm -rf "$layer"
  mkdir -p "$layer/env.launch"
  printf production >"$layer/env.launch/NODE_ENV.default"
  printf '%s' "$modules/.bin" >"$layer/env.launch/PATH.append"
  printf ':' >"$layer/env.launch/PATH.delim"
  write_node_options "$layer/env.launch"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
}

# Plug'n'Play needs its resolver in every process. Otherwise: most of the memory that the process may use, for its heap.
# Versions of Node that do not know the option take half of it by themselves.
write_node_options() {
  local heap=--max-old-space-size-percentage=75
  if [[ -f .pnp.cjs ]]; then
    printf -- '--require /workspace/.pnp.cjs' >"$1/NODE_OPTIONS.append"
    [[ ! -f .pnp.loader.mjs ]] || printf -- ' --experimental-loader /workspace/.pnp.loader.mjs' >>"$1/NODE_OPTIONS.append"
    printf ' ' >"$1/NODE_OPTIONS.delim"
  elif NODE_OPTIONS=$heap node -e 0 >/dev/null 2>&1; then
    printf -- '%s' "$heap" >"$1/NODE_OPTIONS.default"
  fi
}

main_file() {
  local name
  for name in server.js index.js "$(field .main)" ${main_runner:+server.ts index.ts}; do
    [[ -n "$name" && -f "$name" ]] && printf '%s' "$name" && return
  done
  return 0
}

# A package manager takes a third of a second to start an app, so a start script that only calls node or bun is called
# without it.
write_processes() {
  local start words main command runner=node
  start=$(field '.scripts.start?')
  main=$(main_file)
  [[ "$manager" != bun ]] || runner='(node|bun)'
  if [[ -n "$start" ]]; then
    read -ra words <<<"$start"
    if [[ "$start" =~ ^$runner(\ +[A-Za-z0-9_./=:@-]+)+$ ]] && ! has_script prestart && ! has_script poststart; then
      command=$(jq -cn '$ARGS.positional' --args -- "${words[@]}")
    else
      command=$start_command
    fi
  elif [[ -n "$main" ]]; then
    command=$(jq -cn '$ARGS.positional' --args -- "${main_runner:-node}" "$main")
  else
    return 0
  fi
  printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$command" >"$CNB_LAYERS_DIR/launch.toml"
}

# Without scripts of the app nothing here depends on its code, which spares the next push this whole buildpack.
write_inputs() {
  [[ -z "$(build_script)" ]] && ! has_script heroku-prebuild && ! has_script heroku-cleanup && ! { has_dependencies && installs_in_place; } || return 0
  keeps_cache || return 0
  # More files than can be named here.
  [[ ! -d .yarn/plugins && ! -d .yarn/releases ]] || return 0
  local main
  main=$(field .main)
  [[ "$main" =~ ^[A-Za-z0-9_][A-Za-z0-9_./-]*$ && "$main" != *..* ]] || main=index.js
  {
    toml_list files package.json package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb \
      .npmrc .yarnrc .yarnrc.yml bunfig.toml pnpm-workspace.yaml .pnpmfile.cjs .pnpmfile.mjs .nvmrc .node-version .tool-versions
    toml_list exists server.js index.js server.ts index.ts "$main" node_modules prisma patches binding.gyp .pnp.cjs .yarn
    toml_list env NODE_ENV NODE_MODULES_CACHE YARN_PRODUCTION NPM_CONFIG_OMIT NPM_CONFIG_INCLUDE NPM_CONFIG_PRODUCTION NPM_CONFIG_LEGACY_PEER_DEPS \
      NPM_CONFIG_INSTALL_STRATEGY NPM_CONFIG_REGISTRY npm_config_omit npm_config_include npm_config_production \
      npm_config_legacy_peer_deps npm_config_install_strategy npm_config_registry
  } >"$CNB_LAYERS_DIR/inputs.toml"
}
