# Which package manager installs: packageManager in package.json, else the lock file, else settings that only one reads, else
# npm. `manager` is npm, pnpm, yarn (1.x), berry (Yarn from 2 on) or bun; `manager_hash` is what corepack wrote behind the
# version; `problem` is a sentence for the person when that cannot be told.

manager=npm manager_version='' manager_hash='' lock='' problem=''

# tool_version NAME...: from .tool-versions, as asdf and mise write it.
tool_version() {
  [[ -f .tool-versions && ! -L .tool-versions ]] || return 0
  local name
  for name in "$@"; do
    awk -v name="$name" '$1 == name && $2 !~ /^(ref|path|system)/ { print $2; exit }' .tool-versions | tr -d '\r'
  done | head -n 1
}

# What is wrong with package.json as a whole, if anything.
manifest_problem() {
  local said
  said=$(jq -e 'type == "object"' package.json 2>&1 >/dev/null) ||
    printf 'package.json is not valid: %s. Correct it.' "${said:-it must hold a JSON object}"
}

# The manager that writes a lock file.
writer_of() {
  case "$1" in
    npm-shrinkwrap.json | package-lock.json) printf npm ;;
    pnpm-lock.yaml) printf pnpm ;;
    yarn.lock) printf yarn ;;
    bun.lock | bun.lockb) printf bun ;;
  esac
}

read_manager() {
  local file named=''
  problem=$(manifest_problem)
  [[ -z "$problem" ]] || return 0
  for file in npm-shrinkwrap.json package-lock.json pnpm-lock.yaml yarn.lock bun.lock bun.lockb; do
    [[ -f "$file" ]] || continue
    if [[ -z "$lock" ]]; then
      lock=$file
    elif [[ "$(writer_of "$lock")" != "$(writer_of "$file")" ]]; then
      problem="Both $lock and $file are in the repository, so it is unclear whether $(writer_of "$lock") or $(writer_of "$file") installs. Keep the one that you use and remove the other."
      return
    fi
  done
  if [[ "$lock" == *.json ]] && ! jq -e 'type == "object"' "$lock" >/dev/null 2>&1; then
    problem="$lock does not parse. Delete it, run npm install and commit it."
    return
  fi
  if [[ -n "$lock" ]]; then manager=$(writer_of "$lock")
  elif [[ -f pnpm-workspace.yaml ]]; then manager=pnpm
  elif [[ -f .yarnrc.yml ]]; then manager=yarn
  elif [[ -f bunfig.toml ]]; then manager=bun
  fi
  named=$(field .packageManager)
  [[ -z "$named" ]] || read_named "$named" || return 0
  [[ "$manager" != yarn ]] || ! is_berry || manager=berry
  [[ -n "$manager_version" ]] || manager_version=$(wanted_version)
}

# read_named TEXT: name@version, perhaps with a hash.
read_named() {
  if [[ ! "$1" =~ ^(npm|pnpm|yarn|bun)@([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)(\+(sha(1|224|256|384|512)\.[0-9A-Fa-f]+))?$ ]]; then
    problem="packageManager in package.json is \"${1:0:80}\". Write the name and the exact version of npm, pnpm, yarn or bun, such as pnpm@10.4.1, with no hash behind it or the one that corepack wrote."
    return 1
  fi
  manager_version=${BASH_REMATCH[2]} manager_hash=${BASH_REMATCH[5]}
  if [[ -n "$lock" && "$manager" != "${BASH_REMATCH[1]}" ]]; then
    problem="packageManager in package.json is ${BASH_REMATCH[1]}, which does not read $lock. Run ${BASH_REMATCH[1]} install and commit its lock file instead of $lock, or remove packageManager."
    return 1
  fi
  manager=${BASH_REMATCH[1]}
}

is_berry() {
  [[ -z "$manager_version" ]] || { [[ "$manager_version" != [01].* ]]; return; }
  if [[ -n "$lock" ]]; then grep -q '^__metadata:' "$lock"; else [[ -f .yarnrc.yml ]]; fi
}

# A range where nothing names an exact version. Nothing for npm is the one that comes with Node.
wanted_version() {
  local format asked
  case "$manager" in
    npm) field .engines.npm? ;;
    pnpm)
      asked=$(field .engines.pnpm?)
      asked=${asked:-$(tool_version pnpm)}
      format=$([[ -z "$lock" ]] || sed -nE "s/^lockfileVersion: *'?([0-9.]+)'?.*/\1/p" "$lock" | head -n 1)
      case "$format" in
        5 | 5.*) printf '%s' "${asked:-7.x}" ;;
        6 | 6.*) printf '%s' "${asked:-8.x}" ;;
        '' | 9 | 9.*) printf '%s' "${asked:-10.x}" ;;
        *) printf '%s' "$asked" ;;
      esac ;;
    yarn) printf 1.x ;;
    berry)
      format=$([[ -z "$lock" ]] || sed -nE '/^__metadata:/,/^$/s/^ +version: *([0-9]+).*/\1/p' "$lock" | head -n 1)
      if [[ -n "$format" && "$format" -le 6 ]]; then printf 3.x; else printf 4.x; fi ;;
    bun)
      asked=$(field .engines.bun?)
      printf '%s' "${asked:-$(tool_version bun)}" ;;
  esac
}
