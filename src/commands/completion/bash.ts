import { type Completion, globalFlags } from './words.ts';

/** bash splits words at colons, and so would cut `apps:create`: the words are read from the line instead. */
export function bashScript(commands: readonly Completion[]): string {
  return `# Completion of wherry for bash: source <(wherry completion bash)
# compgen expands what it is given: a host's answer goes there as names alone.
_wherry_apps() { WHERRY_BATCH=1 wherry --quiet apps:list 2>/dev/null </dev/null | LC_ALL=C grep -x '[a-z0-9][a-z0-9._-]*'; }
_wherry_words() {
  case "$1/$2" in
${commands.flatMap(positionalCases).join('\n')}
  esac
}
_wherry_flags() {
  echo ${globalFlags.map(({ name }) => `--${name}`).join(' ')}
  case "$1" in
${commands.flatMap(flagCase).join('\n')}
  esac
}
_wherry() {
  local line=\${COMP_LINE:0:COMP_POINT} cur= command= place=0 word offered
  local -a words
  read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    cur=\${words[-1]}
    unset 'words[-1]'
  fi
  for word in "\${words[@]:1}"; do
    if [[ $word == -* ]]; then continue; fi
    if [[ -z $command ]]; then command=$word; else place=$((place + 1)); fi
  done
  if [[ $cur == -* ]]; then offered=$(_wherry_flags "$command")
  elif [[ -z $command ]]; then offered='${commands.map(({ name }) => name).join(' ')}'
  else offered=$(_wherry_words "$command" "$place")
  fi
  COMPREPLY=($(compgen -W "$offered" -- "$cur"))
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${cur%"\${cur##*:}"}"}"); fi
}
complete -F _wherry wherry
`;
}

function positionalCases({ name, words }: Completion): string[] {
  return words.flatMap((word, place) => {
    if (word === 'app') return [`    ${name}/${place}) _wherry_apps ;;`];
    return word.length === 0 ? [] : [`    ${name}/${place}) echo '${word.join(' ')}' ;;`];
  });
}

function flagCase({ name, flags }: Completion): string[] {
  return flags.length === 0 ? [] : [`    ${name}) echo ${flags.map(flag => `--${flag.name}`).join(' ')} ;;`];
}
