is_rails() { has_gem railties && [[ -f config/application.rb ]]; }

has_assets() { is_rails && [[ -f Rakefile ]] && has_gem sprockets propshaft; }

# What a Rails app compiles lands in public/; tmp/cache/assets is what makes the next time quick.
compile_assets() {
  has_assets || return 0
  if compgen -G 'public/assets/.sprockets-manifest-*.json' >/dev/null || compgen -G 'public/assets/manifest-*.json' >/dev/null || [[ -f public/assets/.manifest.json ]]; then
    step "Using the compiled assets of the repository"
    return 0
  fi
  step "Compiling assets with rake assets:precompile"
  local layer=$CNB_LAYERS_DIR/assets
  if [[ -d "$layer/cache" && ! -e tmp/cache/assets ]]; then
    mkdir -p tmp/cache
    cp -R "$layer/cache" tmp/cache/assets
  fi
  # Rails wants some secret to start with; none is used to compile.
  SECRET_KEY_BASE=${SECRET_KEY_BASE:-compiling-assets} SECRET_KEY_BASE_DUMMY=1 bundle exec rake assets:precompile 2>&1 | indent ||
    fail "rake assets:precompile failed. Its output is above."
  rm -rf "$layer"
  [[ -d tmp/cache/assets ]] || return 0
  mkdir -p "$layer"
  mv tmp/cache/assets "$layer/cache"
  printf '[types]\ncache = true\n' >"$layer.toml"
}

# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local layer=$CNB_LAYERS_DIR/settings
  rm -rf "$layer"
  mkdir -p "$layer/env.launch"
  set_default() { printf '%s' "$2" >"$layer/env.launch/$1.default"; }
  set_default RACK_ENV production
  # Two arenas instead of eight a core: Ruby's memory grows far less, at no cost that one sees.
  set_default MALLOC_ARENA_MAX 2
  set_default BUNDLE_PATH "$BUNDLE_PATH"
  set_default BUNDLE_APP_CONFIG "$BUNDLE_APP_CONFIG"
  set_default BUNDLE_DEPLOYMENT true
  set_default BUNDLE_WITHOUT development:test
  set_default BUNDLER_VERSION "$BUNDLER_VERSION"
  if is_rails; then
    set_default RAILS_ENV production
    set_default RAILS_LOG_TO_STDOUT enabled
    set_default RAILS_SERVE_STATIC_FILES enabled
  fi
  local gem_folder
  gem_folder=$gem_layer/ruby/$(ruby -e 'print RbConfig::CONFIG["ruby_version"]')
  printf '%s' "$gem_folder/bin" >"$layer/env.launch/PATH.prepend"
  # Programs of gems run also without "bundle exec"; the colon at the end stands for Ruby's own folders.
  set_default GEM_PATH "$gem_folder:"
  printf ':' >"$layer/env.launch/PATH.delim"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
}

# process TYPE COMMAND: the command is for bash, which replaces itself.
process() {
  local default=false
  [[ "$1" != web ]] || default=true
  printf '[[processes]]\ntype = "%s"\ncommand = %s\ndefault = %s\n\n' "$1" "$(jq -cn '$ARGS.positional' --args -- bash -c "exec $2")" "$default"
}

write_processes() {
  local command
  command=$(web_command)
  {
    [[ -z "$command" ]] || process web "$command"
    if is_rails; then process console "bundle exec rails console"; fi
    if [[ -f Rakefile ]] && has_gem rake; then process rake "bundle exec rake"; fi
  } >"$CNB_LAYERS_DIR/launch.toml"
}

web_command() {
  local file port='"${PORT:-5000}"'
  if is_rails; then
    printf 'bundle exec rails server -b 0.0.0.0 -p %s -e "$RAILS_ENV"' "$port"
  elif [[ -f config.ru ]]; then
    if has_gem puma; then printf 'bundle exec puma -b "tcp://0.0.0.0:${PORT:-5000}" config.ru'
    elif has_gem unicorn; then printf 'bundle exec unicorn -o 0.0.0.0 -p %s config.ru' "$port"
    elif has_gem thin; then printf 'bundle exec thin start -a 0.0.0.0 -p %s -R config.ru' "$port"
    elif has_rackup; then printf 'bundle exec rackup -o 0.0.0.0 -p %s config.ru' "$port"
    elif [[ ! -f Procfile ]]; then fail "Gemfile.lock holds no server for config.ru. Add gem \"puma\" to Gemfile, run bundle install and commit both."
    fi
  else
    for file in app.rb server.rb main.rb; do
      [[ ! -f "$file" ]] || { printf 'bundle exec ruby %s' "$file"; return 0; }
    done
    [[ -f Procfile ]] || fail "There is no config.ru, app.rb, server.rb or main.rb to run. Add one, or a Procfile with a line such as \"web: bundle exec ruby serve.rb\"."
  fi
}

# Rack itself had the program until version 3.
has_rackup() { has_gem rackup || [[ "${gems[rack]-}" =~ ^[12]\. ]]; }

# Nothing here depends on the app's code unless its assets are compiled, which spares the next push this whole buildpack.
write_inputs() {
  local cached
  ! has_assets || return 0
  mapfile -t cached < <(cached_gems)
  ((${#cached[@]} < 900)) || return 0
  {
    toml_list files Gemfile Gemfile.lock .ruby-version .tool-versions "${cached[@]}"
    toml_list exists Procfile config.ru config/application.rb Rakefile app.rb server.rb main.rb
    toml_list env BUNDLE_WITHOUT RACK_ENV RAILS_ENV
  } >"$CNB_LAYERS_DIR/inputs.toml"
}
