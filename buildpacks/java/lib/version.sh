available=17

check_version() {
  local file asked
  for file in system.properties .java-version .tool-versions .sdkmanrc; do
    [[ -f "$file" ]] || continue
    asked=$(asked_version "$file")
    # As 17, 17.0.9, openjdk-17, temurin-17.0.9+9, 17.0.9-tem.
    [[ -z "$asked" || "$asked" =~ ^([a-z_-]+-)?$available([.+-].*)?$ ]] && continue
    fail "Java version \"$asked\" in $file cannot be had. Set it to $available, which is the one that can."
  done
}

asked_version() {
  case "$1" in
    system.properties) head -c 4000 "$1" | sed -nE 's/^[[:space:]]*java\.runtime\.version[[:space:]]*[=:][[:space:]]*([^[:space:]]+).*$/\1/p' ;;
    .java-version) head -c 200 "$1" | sed -nE 's/^[[:space:]]*([^#[:space:]]+).*$/\1/p' ;;
    .tool-versions) head -c 4000 "$1" | sed -nE 's/^java[[:space:]]+([^#[:space:]]+).*$/\1/p' ;;
    .sdkmanrc) head -c 4000 "$1" | sed -nE 's/^java=([^[:space:]]+).*$/\1/p' ;;
  esac | head -n 1
}

java_version() { sed -nE 's/^JAVA_VERSION="(.*)"$/\1/p' "$JAVA_HOME/release"; }
