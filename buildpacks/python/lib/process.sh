installed() { compgen -G "$layer/lib/python*/site-packages/$1-*.dist-info" >/dev/null; }

uses_django() { [[ -f manage.py ]] && installed '[Dd]jango'; }

# Only where the settings say where to.
collect_static_files() {
  uses_django && [[ -z "${DISABLE_COLLECTSTATIC:-}" || "$DISABLE_COLLECTSTATIC" == 0 ]] || return 0
  grep -rqE --include='*.py' --exclude-dir={venv,.venv,node_modules} '^[[:space:]]*STATIC_ROOT' . || return 0
  step "Collecting static files (manage.py collectstatic)"
  python manage.py collectstatic --noinput 2>&1 | indent ||
    fail "manage.py collectstatic failed; its output is above. Correct it, or turn it off: wherry config:set DISABLE_COLLECTSTATIC=1"
}

# A layer that only sets defaults of the app's environment; what the user has set wins.
write_settings() {
  local settings=$CNB_LAYERS_DIR/settings name
  rm -rf "$settings"
  mkdir -p "$settings/env.launch"
  for name in PYTHONUNBUFFERED PYTHONFAULTHANDLER PYTHONDONTWRITEBYTECODE; do
    printf 1 >"$settings/env.launch/$name.default"
  done
  printf '%s' "$layer" >"$settings/env.launch/VIRTUAL_ENV.default"
  printf '%s' '--access-logfile -' >"$settings/env.launch/GUNICORN_CMD_ARGS.default"
  if [[ -d src ]]; then printf '/workspace/src' >"$settings/env.launch/PYTHONPATH.default"; fi
  printf '[types]\nlaunch = true\n' >"$settings.toml"
}

# The package of manage.py's settings, or the one above it, that has this file.
django_module() {
  local package
  package=$(sed -nE "s/.*DJANGO_SETTINGS_MODULE['\"], *['\"]([A-Za-z0-9_.]+)['\"].*/\1/p" manage.py | head -n 1)
  while [[ "$package" == *.* ]]; do
    package=${package%.*}
    if [[ -f "${package//.//}/$1.py" ]]; then printf '%s.%s' "$package" "$1"; return; fi
  done
}

first_file() {
  local name
  for name in "$@"; do
    if [[ -f "$name" ]]; then printf '%s' "$name"; return; fi
  done
}

# How the object is called that a server loads. Only small files are looked into: what this reads starts the next build.
object_of() {
  local name=app
  if [[ "$1" == [aw]sgi.py ]] && ! grep -qE '^app\b' "$1"; then name=application; fi
  printf '%s:%s' "${1%.py}" "$name"
}

web_command() {
  local module file
  if uses_django; then
    module=$(django_module wsgi)
    if [[ -n "$module" && -x "$layer/bin/gunicorn" ]]; then list gunicorn "$module:application"; return; fi
    module=$(django_module asgi)
    if [[ -n "$module" && -x "$layer/bin/uvicorn" ]]; then serve_uvicorn "$module:application"; return; fi
    warn "Neither gunicorn nor uvicorn is among the requirements, so Django's development server answers. Add one." >&2
    list bash -c 'exec python manage.py runserver --noreload "0.0.0.0:$PORT"'
    return
  fi
  file=$(first_file wsgi.py asgi.py app.py main.py)
  if [[ -n "$file" && -x "$layer/bin/uvicorn" && "$file" != wsgi.py ]] &&
    { [[ "$file" == asgi.py || ! -x "$layer/bin/gunicorn" ]] || installed starlette; }; then
    serve_uvicorn "$(object_of "$file")"
  elif [[ -n "$file" && "$file" != asgi.py && -x "$layer/bin/gunicorn" ]]; then
    list gunicorn "$(object_of "$file")"
  else
    file=$(first_file main.py app.py server.py)
    [[ -z "$file" ]] || list python "$file"
  fi
}

# A JSON list of strings, which is a TOML one too.
list() { printf '%s\n' "$@" | jq -Rnc '[inputs]'; }
serve_uvicorn() { list bash -c 'exec uvicorn --host 0.0.0.0 --port "$PORT" "$0"' "$1"; }

write_processes() {
  local command
  command=$(web_command)
  if [[ -n "$command" ]]; then
    detail "Default process: $(jq -r 'join(" ")' <<<"$command")"
    printf '[[processes]]\ntype = "web"\ncommand = %s\ndefault = true\n' "$command" >"$CNB_LAYERS_DIR/launch.toml"
  elif [[ ! -f Procfile ]]; then
    fail "There is no main.py, app.py, wsgi.py, asgi.py or manage.py to run. Add one, or a Procfile with a line such as \"web: python serve.py\"."
  fi
}

toml_list() {
  local name=$1
  shift
  printf '%s = %s\n' "$name" "$(list "$@")"
}

# Nothing here depends on the app's code, unless it is installed in place or Django runs it; that spares the next push this
# whole buildpack.
write_inputs() {
  local local_files=()
  jq -e '(.live | not) and (.trees | length == 0)' /tmp/local.json >/dev/null || return 0
  ! uses_django || return 0
  mapfile -t local_files < <(jq -r '.files[]' /tmp/local.json)
  {
    toml_list files .python-version runtime.txt .tool-versions requirements.txt pyproject.toml Pipfile Pipfile.lock \
      poetry.lock uv.lock pdm.lock pylock.toml setup.py wsgi.py asgi.py "${local_files[@]}"
    toml_list exists manage.py app.py main.py server.py src Procfile venv/pyvenv.cfg .venv/pyvenv.cfg
    toml_list env PIP_NO_BINARY PIP_ONLY_BINARY PIP_PREFER_BINARY PIP_PRE PIP_NO_BUILD_ISOLATION PIP_CONSTRAINT \
      PIP_REQUIRE_HASHES PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_NO_INDEX
  } >"$CNB_LAYERS_DIR/inputs.toml"
}
