import type { Command } from './define.ts';
import type { Registry } from './registry.ts';
import { flagForm, flagList, usage } from './usage.ts';

/** `wherry.1`, in roff's man macros. */
export function manPage(registry: Registry): string {
  return `${[
    '.\\" Made from the registry of commands by "npm run docs".',
    '.TH WHERRY 1 "" "Wherry" "User Commands"',
    ...section('NAME', [plain('wherry - deploy apps by git push, and look after them')]),
    ...section('SYNOPSIS', [
      bold('wherry [--data DIR] [--app APP] [--quiet] [--force] [--format json] COMMAND [ARGUMENT...]'),
      '.br',
      bold('wherry daemon|edge|down [--FLAG VALUE...]'),
      '.br',
      bold('wherry [--data DIR] database check|copies|restore [COPY]'),
      '.br',
      bold('ssh -p 2222 wherry@HOST COMMAND [ARGUMENT...]'),
    ]),
    ...section('DESCRIPTION', [
      plain(
        'The client of Wherry, a platform for one server. It asks the daemon of this host, or one elsewhere over ssh. In the folder of a git repository with a remote named wherry or dokku, commands are about the app of that remote unless they name another.',
      ),
    ]),
    ...section('OPTIONS', options.flatMap(item)),
    ...section('COMMANDS', registry.list().flatMap(commandItem)),
    ...section('ENVIRONMENT', environment.flatMap(item)),
    ...section(
      'FILES',
      item(['/var/lib/wherry', 'The data directory, unless --data or WHERRY_DATA names another.']),
    ),
    ...section('EXIT STATUS', statuses.flatMap(item)),
  ].join('\n')}\n`;
}

type Item = readonly [head: string, text: string];

const options: readonly Item[] = [
  ['--data DIR', 'The data directory of a daemon of this host, in front of the command.'],
  ['--app APP', 'The app that the command is about.'],
  ['-q, --quiet', 'Less output: names alone, no headings.'],
  ['--force', 'Do not ask before something is destroyed.'],
  ['--format json', 'The result as JSON.'],
  ['--trace', 'How long the command took, on standard error.'],
  ['-h, --help', 'Explain the command.'],
];

const environment: readonly Item[] = [
  ['WHERRY_HOST', 'The host that commands go to by ssh: [user@]host[:port]; wherry and 2222 unless told.'],
  ['WHERRY_DATA', 'The data directory of the daemon of this host.'],
  ['WHERRY_BATCH', 'When set, ssh asks for nothing and gives up soon; completion uses it.'],
];

const statuses: readonly Item[] = [
  ['0', 'Done.'],
  ['1', 'It failed, or was refused.'],
  ['2', 'The command line is wrong, or was not confirmed.'],
  ['20', 'There is no such app.'],
  ['21', 'You may not do this.'],
  ['22', 'Somebody else is at it, or the name is taken.'],
  ['23 to 25', 'A quota is full; the build failed; the new version did not become ready.'],
  ['75', 'The daemon or the host cannot be reached.'],
  ['255', 'ssh broke off.'],
];

function section(title: string, lines: readonly string[]): string[] {
  return [`.SH ${title}`, ...lines];
}

function item([head, text]: Item): string[] {
  return ['.TP', bold(head), plain(text)];
}

function commandItem(command: Command): string[] {
  const flags = flagList(command).map(({ name, kind }) => `${flagForm(name, kind)}: ${kind.help ?? ''}`);
  const aliases = command.aliases?.length ? [`Also called: ${command.aliases.join(', ')}.`] : [];
  const more = [...(command.description ? [command.description] : []), ...flags, ...aliases];
  return [
    '.TP',
    bold(usage(command)),
    plain(`${command.summary}.`),
    ...more.flatMap(line => ['.br', plain(line)]),
  ];
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** A line that begins with a dot or a quote would be a request. */
function plain(text: string): string {
  const safe = escaped(text);
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/\s+/g, ' ').trim();
}
