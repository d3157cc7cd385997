# The folder that visitors see: what frameworks call it, or the app's own.
document_root() {
  local name
  for name in public web; do
    [[ ! -f "$name/index.php" ]] || { printf '%s' "$name"; return 0; }
  done
}

# nginx and php-fpm with their files, and the program that runs both, as a layer.
write_server() {
  local layer=$CNB_LAYERS_DIR/server root
  root=$(document_root)
  [[ -n "$root" || -f index.php || -f index.html || -f Procfile ]] ||
    fail "There is no index.php in the root, public or web. Add one, or a Procfile with a line such as \"web: serve-php htdocs\"."
  step "Serving ${root:-/workspace} with nginx and php-fpm"
  rm -rf "$layer"
  mkdir -p "$layer/bin"
  cp "$CNB_BUILDPACK_DIR/lib/serve-php" "$layer/bin/serve-php"
  cp "$CNB_BUILDPACK_DIR/lib/php-fpm.conf" "$layer/php-fpm.conf"
  sed "s|@LAYER@|$layer|" "$CNB_BUILDPACK_DIR/lib/nginx.conf" >"$layer/nginx.conf"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
  printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$(jq -cn '$ARGS.positional' --args -- serve-php ${root:+"$root"})" >"$CNB_LAYERS_DIR/launch.toml"
}

# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local layer=$CNB_LAYERS_DIR/settings
  rm -rf "$layer"
  mkdir -p "$layer/env.launch"
  set_default() { printf '%s' "$2" >"$layer/env.launch/$1.default"; }
  # Laravel and Symfony write to files unless told.
  if [[ -f artisan ]]; then
    set_default APP_ENV production
    set_default LOG_CHANNEL stderr
  elif [[ -f bin/console ]]; then
    set_default APP_ENV prod
    set_default APP_DEBUG 0
  fi
  printf '/workspace/vendor/bin' >"$layer/env.launch/PATH.append"
  printf ':' >"$layer/env.launch/PATH.delim"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
}

# Unless class maps or scripts read the code nothing here depends on it, which spares the next push this whole buildpack.
write_inputs() {
  ! reads_code || return 0
  {
    toml_list files composer.json composer.lock
    toml_list exists index.php index.html Procfile public/index.php web/index.php vendor artisan bin/console
  } >"$CNB_LAYERS_DIR/inputs.toml"
}
