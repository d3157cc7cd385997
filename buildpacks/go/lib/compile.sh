# Layers: `programs` (launch) what was compiled; `go-build` and `go-mod` (cache) Go's own caches.

layer=$CNB_LAYERS_DIR/programs

set_up_go() {
  local name
  unset GOROOT GOBIN GOOS GOARCH
  export PATH=/usr/lib/go-$release/bin:$PATH
  export GOCACHE=$CNB_LAYERS_DIR/go-build GOMODCACHE=$CNB_LAYERS_DIR/go-mod GOPATH=/tmp/go GOENV=off GOTOOLCHAIN=local
  export CGO_ENABLED=${CGO_ENABLED:-0}
  for name in go-build go-mod; do
    mkdir -p "$CNB_LAYERS_DIR/$name"
    printf '[types]\ncache = true\n' >"$CNB_LAYERS_DIR/$name.toml"
  done
  step "$(go version | cut -d ' ' -f 3,4)"
  if [[ -f vendor/modules.txt ]]; then detail "Modules come from vendor/"; fi
}

# What the app names in config or go.mod as Heroku reads it, or else its main packages: the root's and those in cmd/.
find_programs() {
  local spec=${GO_INSTALL_PACKAGE_SPEC:-} name
  [[ -n "$spec" ]] || spec=$(sed -nE 's|^//[[:space:]]*\+heroku[[:space:]]+install[[:space:]]+(.+)$|\1|p' go.mod | head -n 1)
  if [[ -z "$spec" ]]; then
    spec=.
    [[ ! -d cmd ]] || spec='. ./cmd/...'
  fi
  read -ra patterns <<<"$spec"
  for name in "${patterns[@]}"; do
    [[ "$name" != -* ]] || fail "GO_INSTALL_PACKAGE_SPEC holds \"$name\", which is no package. Name packages such as ./cmd/server."
  done
  # -e: the root of an app that has only cmd/ holds no Go files.
  run_go list -e -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' "${patterns[@]}" || explain "Go could not read the app's packages."
  mapfile -t programs < <(grep . "$out" || true)
  ((${#programs[@]} > 0)) || fail "There is no main package in the root of the repository or in cmd/. Add one, or name it: wherry config:set GO_INSTALL_PACKAGE_SPEC=./path"
}

compile_programs() {
  local flags=(-ldflags '-w -s' -buildvcs=false) started=$SECONDS
  step "Compiling ${programs[*]}"
  mkdir -p "$layer/bin"
  printf '[types]\nlaunch = true\n' >"$layer.toml"
  run_go build "${flags[@]}" -o "$layer/bin/" "${programs[@]}" || explain "Compiling the app failed. Its output is above."
  indent <"$err"
  detail "Compiled in $((SECONDS - started)) s"
}

out=/tmp/go-output
err=/tmp/go-errors
run_go() { go "$@" >"$out" 2>"$err"; }

# Says what was wrong, and the remedy where Go's own words name it.
explain() {
  local said
  indent <"$err"
  said=$(sed -nE '/^go: errors parsing go\.mod:/{n; s|^[^:]*:([0-9]+)(:[0-9]+)?: (.*)$|line \1: \3|p}' "$err" | head -n 1)
  [[ -z "$said" ]] || fail "go.mod does not parse: $said. Correct it."
  if grep -qE 'missing go.sum entry|updates to go.(mod|sum) needed' "$err"; then
    fail "go.mod and go.sum do not name every module that the app uses. Run go mod tidy and commit both."
  elif grep -q 'inconsistent vendoring' "$err"; then
    fail "vendor/ is out of step with go.mod. Run go mod vendor and commit vendor/."
  elif grep -qE 'dial tcp|no such host|connection refused|module lookup disabled' "$err"; then
    fail "A module could not be downloaded; see the output above. Set GOPROXY to a proxy that this host reaches, or run go mod vendor and commit vendor/."
  fi
  fail "$1"
}

# The program that is named after the module, or the only one, answers for the app.
write_processes() {
  local module name main=""
  module=$(go list -m 2>/dev/null | head -n 1)
  [[ ! "$module" =~ /v[0-9]+$ ]] || module=${module%/*}
  module=${module##*/}
  names=()
  for name in "$layer"/bin/*; do names+=("${name##*/}"); done
  detail "Programs: ${names[*]}"
  if ((${#names[@]} == 1)); then
    main=${names[0]}
  else
    for name in "$module" web server; do
      [[ -n "$main" || ! -f "$layer/bin/$name" ]] || main=$name
    done
  fi
  if [[ -n "$main" ]]; then
    printf '[[processes]]\ntype = "web"\ncommand = [%s]\ndefault = true\n' "$(jq -cRs . < <(printf '%s' "$main"))" >"$CNB_LAYERS_DIR/launch.toml"
  elif [[ ! -f Procfile ]]; then
    fail "The app has the programs ${names[*]}, and none is named $module, web or server. Add a Procfile with a line such as \"web: ${names[0]}\"."
  fi
}
