import { type Completion, globalFlags } from './words.ts';

export function fishScript(commands: readonly Completion[]): string {
  return `# Completion of wherry for fish: wherry completion fish | source
function __wherry_apps
    WHERRY_BATCH=1 wherry --quiet apps:list 2>/dev/null </dev/null
end
# The command and the number of words after it, flags left out.
function __wherry_at
    set -l words (string match -v -- '-*' (commandline -opc))[2..]
    set -l command $words[1]
    set -l place (math (count $words) - 1)
    if test (count $argv) -eq 0
        test (count $words) -eq 0
    else
        test "$command" = $argv[1]; and test (count $argv) -eq 1 -o "$place" = "$argv[2]"
    end
end
complete -c wherry -f
${globalFlags.map(({ name, help }) => `complete -c wherry -l ${name} -d ${quoted(help)}`).join('\n')}
${commands.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ name, summary, words, flags }: Completion): string[] {
  const at = (place?: number) => `-n '__wherry_at ${name}${place === undefined ? '' : ` ${place}`}'`;
  return [
    `complete -c wherry -n __wherry_at -a ${name} -d ${quoted(summary)}`,
    ...words.flatMap((word, place) => {
      if (word === 'app') return [`complete -c wherry ${at(place)} -a '(__wherry_apps)'`];
      return word.length === 0 ? [] : [`complete -c wherry ${at(place)} -a ${quoted(word.join(' '))}`];
    }),
    ...flags.map(flag => `complete -c wherry ${at()} -l ${flag.name} -d ${quoted(flag.help)}`),
  ];
}

/** In single quotes fish takes a backslash for an escape, of a quote and of itself. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
