# Bundler itself holds the app to the `ruby` line of its Gemfile; these files say what a version manager would install.
check_version() {
  local file asked
  for file in .ruby-version .tool-versions; do
    [[ -f "$file" ]] || continue
    asked=$(asked_version "$file")
    [[ -z "$asked" || "$asked" =~ ^3(\.1(\.[0-9]+)?)?(-p[0-9]+)?$ ]] && continue
    fail "Ruby version \"$asked\" in $file cannot be had. Set it to 3.1, which is Ruby $ruby_version here."
  done
}

asked_version() {
  case "$1" in
    .ruby-version) head -c 200 "$1" | sed -nE 's/[[:space:]]+$//; s/^[[:space:]]*(ruby-)?([^#[:space:]]+).*$/\2/p' | head -n 1 ;;
    .tool-versions) head -c 4000 "$1" | sed -nE 's/^ruby[[:space:]]+([^#[:space:]]+).*$/\1/p' | head -n 1 ;;
  esac
}
