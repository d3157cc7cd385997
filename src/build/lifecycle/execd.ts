/**
 * Bash that runs one exec.d program and takes over the TOML of strings that it prints on file descriptor 3. Files of one
 * table with basic and literal strings are what programs print; anything else stops the launch, as a failing one does.
 */
export const execdFunction = String.raw`_cnb_execd() {
  local text line key value escaped='\"' quote='"'
  local name='^[[:space:]]*("([^"\\]+)"|([A-Za-z0-9_-]+))[[:space:]]*=[[:space:]]*'
  local basic='"(([^"\\]|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*)"'
  local literal="'([^']*)'" end='[[:space:]]*(#.*)?$'
  text=$(cd /workspace && "$1" 3>&1 >&4 4>&-) || { printf 'The exec.d program %s failed.\n' "$1" >&2; exit 82; }
  while IFS= read -r line; do
    if [[ $line =~ ^[[:space:]]*(#.*)?$ ]]; then continue
    elif [[ $line =~ $name$basic$end ]]; then
      value=${'$'}{BASH_REMATCH[4]}
      printf -v value '%b' "${'$'}{value//"$escaped"/"$quote"}"
    elif [[ $line =~ $name$literal$end ]]; then value=${'$'}{BASH_REMATCH[4]}
    else printf 'The exec.d program %s printed something else than TOML of strings.\n' "$1" >&2; exit 82
    fi
    key=${'$'}{BASH_REMATCH[2]}${'$'}{BASH_REMATCH[3]}
    export "$key=$value" || exit 82
  done <<<"$text"
}
`;
