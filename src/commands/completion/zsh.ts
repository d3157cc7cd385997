import { type Completion, globalFlags } from './words.ts';

export function zshScript(commands: readonly Completion[]): string {
  return `#compdef wherry
# Completion of wherry for zsh: source <(wherry completion zsh), or a file _wherry in a folder of $fpath.
_wherry_apps() {
  local -a apps
  apps=(\${(f)"$(WHERRY_BATCH=1 wherry --quiet apps:list 2>/dev/null </dev/null)"})
  compadd -a apps
}
_wherry_commands() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${described(name, summary)}`).join('\n')}
  )
  _describe command commands
}
_wherry_words() {
  case "$1/$2" in
${commands.flatMap(positionalCases).join('\n')}
  esac
}
_wherry_flags() {
  local -a flags
  flags=(${globalFlags.map(({ name, help }) => described(`--${name}`, help)).join(' ')})
  case "$1" in
${commands.flatMap(flagCase).join('\n')}
  esac
  _describe flag flags
}
_wherry() {
  local command= word
  integer place=0
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ $word == -* ]]; then continue; fi
    if [[ -z $command ]]; then command=$word; else place+=1; fi
  done
  if [[ $words[CURRENT] == -* ]]; then _wherry_flags "$command"
  elif [[ -z $command ]]; then _wherry_commands
  else _wherry_words "$command" "$place"
  fi
}
if [[ $funcstack[1] == _wherry ]]; then _wherry "$@"; else compdef _wherry wherry; fi
`;
}

function positionalCases({ name, words }: Completion): string[] {
  return words.flatMap((word, place) => {
    if (word === 'app') return [`    ${name}/${place}) _wherry_apps ;;`];
    return word.length === 0 ? [] : [`    ${name}/${place}) compadd -- ${word.map(quoted).join(' ')} ;;`];
  });
}

function flagCase({ name, flags }: Completion): string[] {
  if (flags.length === 0) return [];
  return [`    ${name}) flags+=(${flags.map(flag => described(`--${flag.name}`, flag.help)).join(' ')}) ;;`];
}

/** `_describe` takes a colon for the end of the name. */
function described(name: string, help: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${help}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
