# Staticfile: lines `key: value`; `#` starts a comment. Sets `root` (a folder of the app), `fallback` (a file for addresses of
# pages that a single-page app draws), `listing`, `missing` (the 404 page) and `immutable` (folders).

root='' fallback='' listing=disable missing=404.html immutable=()

read_staticfile() {
  [[ -f Staticfile ]] || return 0
  local line number=0 key value
  while IFS= read -r line || [[ -n "$line" ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ "$line" =~ ^[[:space:]]*(#|$) ]] && continue
    [[ "$line" =~ ^[[:space:]]*([A-Za-z0-9_]+)[[:space:]]*:[[:space:]]*(.*[^[:space:]])[[:space:]]*$ ]] ||
      fail "Staticfile line $number is not \"key: value\". Write for example root: dist."
    key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
    case "$key" in
      root) root=$(folder_of "$value" "$number") ;;
      pushstate | spa) ! is_on "$value" "$number" || fallback=index.html ;;
      directory) ! is_on "$value" "$number" || listing=enable ;;
      404) missing=$(folder_of "$value" "$number") ;;
      immutable) immutable+=("$(folder_of "$value" "$number")") ;;
      host_dot_files) fail "Staticfile line $number asks to serve hidden files, which are never served. Remove it." ;;
      *) fail "Staticfile line $number names \"${key:0:40}\", which is not known. Use root, pushstate, directory, 404 or immutable." ;;
    esac
  done <Staticfile
}

is_on() {
  case "$1" in
    enabled | enable | visible | true | on | yes) return 0 ;;
    disabled | disable | hidden | false | off | no) return 1 ;;
  esac
  fail "Staticfile line $2 says \"${1:0:40}\". Write enabled or disabled."
}

# folder_of PATH LINE: inside the app, and safe to write into the server's configuration.
folder_of() {
  local path=${1#/}
  path=${path#./}
  path=${path%/}
  [[ -n "$path" ]] || path=.
  if [[ ! "$path" =~ ^[A-Za-z0-9_.@+/-]+$ || "/$path/" == */../* || "$path" == .[^.]* ]]; then
    fail "Staticfile line $2: \"${1:0:80}\" is no path inside the app. Write for example dist."
  fi
  printf '%s' "$path"
}

fail() {
  printf 'message = %s\n' "$(jq -cRs . < <(printf '%s' "$*"))" >"$CNB_LAYERS_DIR/failure.toml"
  exit 1
}
