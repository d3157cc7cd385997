run_build_script() {
  local script
  script=$(build_script)
  [[ -n "$script" ]] || return 0
  step "Running the build script ($script)"
  PATH=$modules/.bin:$PATH npm run "$script" 2>&1 | indent || fail "The build script $script of package.json failed. Its output is above."
}

# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local layer=$CNB_LAYERS_DIR/settings
  rm -rf "$layer"
  mkdir -p "$layer/env.launch"
  printf production >"$layer/env.launch/NODE_ENV.default"
  printf '%s' "$modules/.bin" >"$layer/env.launch/PATH.append"
  printf ':' >"$layer/env.launch/PATH.delim"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
}

main_file() {
  local name
  for name in server.js index.js "$(field .main)"; do
    [[ -n "$name" && -f "$name" ]] && printf '%s' "$name" && return
  done
  return 0
}

# npm takes a third of a second to start an app, so a start script that only calls node is called without it.
write_processes() {
  local start words main command
  start=$(field '.scripts.start?')
  main=$(main_file)
  if [[ -n "$start" ]]; then
    read -ra words <<<"$start"
    if [[ "$start" =~ ^node(\ +[A-Za-z0-9_./=:@-]+)+$ ]] && ! has_script prestart && ! has_script poststart; then
      command=$(jq -cn '$ARGS.positional' --args "${words[@]}")
    else
      command='["npm", "start"]'
    fi
  elif [[ -n "$main" ]]; then
    command=$(jq -cn '$ARGS.positional' --args node "$main")
  else
    return 0
  fi
  printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$command" >"$CNB_LAYERS_DIR/launch.toml"
}

# Without scripts of the app nothing here depends on its code, which spares the next push this whole buildpack.
write_inputs() {
  [[ -z "$(build_script)" ]] && ! { has_dependencies && installs_in_place; } || return 0
  local main
  main=$(field .main)
  [[ "$main" =~ ^[A-Za-z0-9_][A-Za-z0-9_./-]*$ && "$main" != *..* ]] || main=index.js
  {
    toml_list files package.json package-lock.json npm-shrinkwrap.json .npmrc .nvmrc .node-version
    toml_list exists server.js index.js "$main" node_modules prisma patches binding.gyp yarn.lock pnpm-lock.yaml bun.lock bun.lockb
    toml_list env NODE_ENV NPM_CONFIG_OMIT NPM_CONFIG_INCLUDE NPM_CONFIG_PRODUCTION NPM_CONFIG_LEGACY_PEER_DEPS \
      NPM_CONFIG_INSTALL_STRATEGY NPM_CONFIG_REGISTRY npm_config_omit npm_config_include npm_config_production \
      npm_config_legacy_peer_deps npm_config_install_strategy npm_config_registry
  } >"$CNB_LAYERS_DIR/inputs.toml"
}
