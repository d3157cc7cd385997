/**
 * Bash that runs one exec.d program and takes over the TOML of strings that it prints on file descriptor 3. Files of one
 * table with strings of any of the four kinds are what programs print; anything else stops the launch, as a failing one does.
 */
export const execdFunction = String.raw`_cnb_execd() {
  local text line key value marks escaped='\"' quote='"'
  local name='^[[:space:]]*("([^"\\]+)"|([A-Za-z0-9_-]+))[[:space:]]*=[[:space:]]*'
  local basic='"(([^"\\]|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*)"'
  local literal="'([^']*)'" end='[[:space:]]*(#.*)?$' block="(\"\"\"|''')(.*)$"
  local inside='^([^\\]|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*$'
  local bad="The exec.d program $1 printed something else than TOML of strings."
  text=$(cd /workspace && "$1" 3>&1 >&4 4>&-) || { printf 'The exec.d program %s failed.\n' "$1" >&2; exit 82; }
  while IFS= read -r line; do
    if [[ $line =~ ^[[:space:]]*(#.*)?$ ]]; then continue
    elif [[ $line =~ $name$basic$end ]]; then
      key=${'$'}{BASH_REMATCH[2]}${'$'}{BASH_REMATCH[3]} value=${'$'}{BASH_REMATCH[4]}
      printf -v value '%b' "${'$'}{value//"$escaped"/"$quote"}"
    elif [[ $line =~ $name$literal$end ]]; then
      key=${'$'}{BASH_REMATCH[2]}${'$'}{BASH_REMATCH[3]} value=${'$'}{BASH_REMATCH[4]}
    elif [[ $line =~ $name$block ]]; then
      key=${'$'}{BASH_REMATCH[2]}${'$'}{BASH_REMATCH[3]} marks=${'$'}{BASH_REMATCH[4]} value=${'$'}{BASH_REMATCH[5]}
      until [[ $value == *"$marks" ]]; do
        IFS= read -r line || { printf '%s\n' "$bad" >&2; exit 82; }
        value+=$'\n'$line
      done
      value=${'$'}{value%"$marks"}
      value=${'$'}{value#$'\n'}
      if [[ $marks == '"""' ]]; then
        [[ $value =~ $inside ]] || { printf '%s\n' "$bad" >&2; exit 82; }
        printf -v value '%b' "${'$'}{value//"$escaped"/"$quote"}"
      fi
    else printf '%s\n' "$bad" >&2; exit 82
    fi
    export "$key=$value" || exit 82
  done <<<"$text"
}
`;
