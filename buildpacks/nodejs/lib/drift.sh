# missing_from_lock KIND: a clause about how the lock file differs from package.json.
missing_from_lock() {
  local said
  said=$(first_missing "$1")
  printf '%s' "${said:-they name different dependencies}"
}

# first_missing KIND: the first dependency of package.json that the lock file does not know, if any.
first_missing() {
  local name range found
  while IFS=$'\t' read -r name range; do
    case "$1" in
      yarn) found="$name@$range" ;;
      berry) found="$name@npm:$range" ;;
      bun) found="\"$name\": \"$range\"" ;;
      pnpm) found="$name@$range" ;;
    esac
    if [[ "$1" == pnpm ]]; then
      NAME=$name RANGE=$range awk '
        /^packages:|^snapshots:/ { exit }
        { gsub(/['"'"'"]/, "") }
        $1 == ENVIRON["NAME"] ":" { getline; gsub(/['"'"'"]/, ""); if ($2 == ENVIRON["RANGE"]) found = 1 }
        END { exit !found }' "$lock" && continue
    elif [[ "$lock" == bun.lockb ]] || grep -qF -- "$found" "$lock"; then
      continue
    fi
    printf '%s@%s is missing from it' "$name" "$range"
    return
  done < <(jq -r '[.dependencies, .devDependencies, .optionalDependencies] | map(. // {} | to_entries) | add[] | select(.value | type == "string" and test(":") | not) | [.key, .value] | @tsv' package.json)
}
