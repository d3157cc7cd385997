# Layers: `deps` (launch, cache) the virtual environment; `pip-cache` (cache) pip's downloads and the wheels it made.

# Raise when the way of installing changes what comes out.
layer_schema=1
layer=$CNB_LAYERS_DIR/deps
lists=/tmp/requirements
wheels=/usr/share/python-wheels

set_up_python() {
  # What would lead Python or pip away from the layer.
  unset PYTHONHOME PYTHONUSERBASE PYTHONSTARTUP VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_PYTHON PIP_REQUIRE_VIRTUALENV
  export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
  export PIP_CACHE_DIR=$CNB_LAYERS_DIR/pip-cache PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off
  pip=$(compgen -G "$wheels/pip-*.whl" | head -n 1)
  python=$(/usr/bin/python3 -c 'import platform; print(platform.python_version())')
  step "Python $python"
}

# Runs a script of this buildpack, with pip's own libraries and without the app's folder among them; ends the build with
# what it says is wrong.
helper() {
  local name=$1
  shift
  PYTHONPATH=$pip:$CNB_BUILDPACK_DIR/lib /usr/bin/python3 -P "$CNB_BUILDPACK_DIR/lib/$name.py" "$@" 2>/tmp/problem ||
    fail "$(tail -n 1 /tmp/problem)"
}

check_version() {
  helper version >/tmp/notes
  indent </tmp/notes
}

# The first of these that is there says what is installed. The last two are often made from a lock file.
choose_manifest() {
  local name found=()
  for name in uv.lock poetry.lock pdm.lock Pipfile.lock pylock.toml requirements.txt; do
    [[ ! -f "$name" ]] || found+=("$name")
  done
  [[ "${found[1]-}" != *.lock ]] || fail "Both ${found[0]} and ${found[1]} are in the repository, so it is unclear which of them is installed. Keep the one that you use and remove the other."
  if ((${#found[@]} > 0)); then
    manifest=${found[0]}
    ((${#found[@]} == 1)) || warn "Dependencies are those of $manifest; ${found[*]:1} is not read. Keep one of them."
  elif [[ -f Pipfile ]]; then
    fail "There is a Pipfile and no Pipfile.lock. Run pipenv lock and commit Pipfile.lock."
  elif [[ -f pyproject.toml ]] && grep -qE '^\[(project|build-system|tool\.poetry)\]' pyproject.toml; then
    manifest=pyproject.toml
    ! grep -q '^\[tool\.poetry\.dependencies\]' pyproject.toml || fail "pyproject.toml has dependencies for poetry and there is no poetry.lock. Run poetry lock and commit poetry.lock."
  elif [[ -f setup.py ]]; then
    manifest=setup.py
  else
    manifest='no requirements'
  fi
  rm -rf "$lists"
  mkdir -p "$lists"
  helper requirements "$manifest" "$lists" >/tmp/local.json
}

install_dependencies() {
  local key
  [[ ! -f venv/pyvenv.cfg && ! -f .venv/pyvenv.cfg ]] || warn "A virtual environment is in the repository; it is not used. Remove it and add it to .gitignore."
  key=$(layer_key)
  if [[ -x "$layer/bin/python" && "$(restored_key)" == "$key" ]]; then
    step "Reusing dependencies: $manifest and Python are unchanged"
  else
    step "Installing dependencies ($manifest)"
    rm -rf "$layer"
    /usr/bin/python3 -m venv --without-pip "$layer"
    run_pip
    compile_modules
  fi
  mkdir -p "$PIP_CACHE_DIR"
  printf '[types]\ncache = true\n' >"$CNB_LAYERS_DIR/pip-cache.toml"
  printf '[types]\nlaunch = true\ncache = true\n\n[metadata]\nkey = "%s"\n' "$key" >"$layer.toml"
  export PATH=$layer/bin:$PATH VIRTUAL_ENV=$layer
}

layer_key() {
  local name
  {
    printf '%s\n' "$layer_schema" "$python" "${pip##*/}" "$(uname -m)"
    for name in "$lists"/*.txt; do [[ ! -f "$name" ]] || cat "$name"; done
    while IFS= read -r name; do
      [[ ! -e "$name" ]] || find "$name" -type f ! -path '*/.git/*' ! -name '*.pyc' -print0 | sort -z | xargs -0 -r sha256sum
    done < <(jq -r '(.files + .trees)[]' /tmp/local.json)
    env | grep -E '^PIP_(NO_BINARY|ONLY_BINARY|PREFER_BINARY|PRE|NO_BUILD_ISOLATION|CONSTRAINT|REQUIRE_HASHES)=' | sort || true
  } | sha256sum | cut -d ' ' -f 1
}

restored_key() { sed -n 's/^key = "\([0-9a-f]*\)"$/\1/p' "$layer.toml" 2>/dev/null || true; }

run_pip() {
  local log=/tmp/pip-output name options
  for name in "$lists"/*.txt; do
    [[ -f "$name" ]] || continue
    # The lists of a lock file are complete: pip adds nothing to them.
    options=()
    [[ "$manifest" != *.lock && "$manifest" != pylock.toml ]] || options+=(--no-deps)
    # requirements.txt names other files beside itself, so it is read where it is.
    [[ "${name##*/}" != requirements.txt ]] || name=requirements.txt
    if ! "$layer/bin/python" "$pip/pip" install --no-compile --find-links "$wheels" "${options[@]}" -r "$name" >"$log" 2>&1; then
      indent <"$log"
      explain_pip "$log"
    fi
    sed "\\|^Looking in links: $wheels\$|d" "$log" | indent
  done
  # What setuptools leaves beside the sources of the app.
  find . -maxdepth 2 -name '*.egg-info' -newer "$lists" -exec rm -rf {} +
}

explain_pip() {
  local missing
  missing=$(sed -nE 's/^ERROR: No matching distribution found for (.+)$/\1/p' "$1" | head -n 1)
  [[ -z "$missing" ]] || fail "$manifest asks for $missing, which the package index does not offer for Python ${python%.*}. Correct it there, or check that the index is reachable."
  missing=$(sed -nE "s/^ERROR: Invalid requirement: '(.*)' \\(from line ([0-9]+) of ([^)]+)\\)$/\\3 line \\2 holds \"\\1\", which is no requirement/p" "$1" | head -n 1)
  [[ -z "$missing" ]] || fail "$missing. Correct it."
  ! grep -q 'DO NOT MATCH THE HASHES' "$1" || fail "A download is not the one that $manifest was made with. Make it again and commit it."
  ! grep -qE "(command|Unable to execute) '?[a-z0-9_-]*(gcc|g\+\+|cc)'?|Python\.h: No such file|No such file or directory: '[a-z0-9_-]*gcc'" "$1" ||
    fail "A package must be compiled. Use a version of it that has wheels, or add build-essential and python3-dev to an Aptfile."
  fail "Installing the dependencies of $manifest with pip failed. Its output is above."
}

# By content and not by time, so that the layer is the same on any host and is never compiled again at start.
compile_modules() {
  "$layer/bin/python" -m compileall -qq --invalidation-mode unchecked-hash "$layer/lib" || true
}
