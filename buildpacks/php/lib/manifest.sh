# What is wrong with composer.json or composer.lock as a whole, if anything.
json_problem() {
  local file remedy said
  for file in composer.json composer.lock; do
    [[ -f "$file" ]] || continue
    remedy='Correct it.'
    [[ "$file" == composer.json ]] || remedy='Run composer update and commit composer.lock.'
    said=$(jq -e 'type == "object"' "$file" 2>&1 >/dev/null) && continue
    printf '%s is not valid: %s. %s' "$file" "${said:-it must hold a JSON object}" "$remedy"
    return
  done
}
