import { optional, text } from './args.ts';
import { type Command, defineCommand } from './define.ts';
import { columns } from './lines.ts';
import type { Registry } from './registry.ts';
import { flagForm, flagList, usage } from './usage.ts';

/** `help`, made of the registry it is in. */
export function helpCommand(registry: Registry): Command {
  return defineCommand({
    name: 'help',
    summary: 'List all commands, or explain one or a namespace',
    examples: ['help', 'help ps:scale', 'help config'],
    args: { topic: optional(text('command')) },
    access: 'public',
    effect: 'read',
    run: (_context, input) => described(helped(registry, input.topic)),
    text: (_result, input) => helpLines(registry, input.topic),
  });
}

export const versionCommand = defineCommand({
  name: 'version',
  summary: 'Print the version of Wherry',
  examples: ['version'],
  args: {},
  access: 'public',
  effect: 'read',
  run: context => ({ version: context.version }),
  text: result => [`wherry version ${result.version}`],
});

/** The help for a command, a namespace or everything. @throws unknown-command */
export function helpLines(registry: Registry, topic: string | undefined): string[] {
  const commands = helped(registry, topic);
  const [only] = commands;
  if (only && commands.length === 1 && topic !== undefined) return oneCommand(only);
  const head =
    topic === undefined
      ? [
          'Usage: wherry [--data DIR] [--quiet|--force|--format json] COMMAND <app> [options]',
          '   or: ssh wherry@HOST COMMAND <app> [options]',
          '',
          'Type "help COMMAND" for more. Commands:',
        ]
      : [`Commands of ${withoutHelp(topic)}:`];
  const own = topic === undefined ? undefined : registry.lookup(withoutHelp(topic));
  const rows = commands.map(command => [usageWithoutFlags(command), command.summary]);
  // A word that is a command and a namespace: `logs`.
  const first = own ? [...oneCommand(own), ''] : [];
  return [...first, ...head, ...columns(rows).map(line => `    ${line}`)];
}

/** As `GET /v1/commands` gives them, for programs that make their own help or completion. */
export function described(commands: readonly Command[]) {
  return commands.map(command => ({
    name: command.name,
    aliases: command.aliases ?? [],
    summary: command.summary,
    description: command.description ?? '',
    usage: usage(command),
    effect: command.effect,
    stream: command.stream === true,
    args: Object.entries(command.args).map(([name, kind]) => ({
      name,
      required: kind.required,
      schema: kind.schema,
    })),
    flags: flagList(command).map(({ key, name, kind }) => ({
      name: key,
      flag: `--${name}`,
      short: kind.short ?? null,
      help: kind.help ?? '',
      schema: kind.schema,
    })),
  }));
}

function helped(registry: Registry, topic: string | undefined): readonly Command[] {
  if (topic === undefined) return registry.list();
  const word = withoutHelp(topic);
  const within = registry.namespace(word);
  return within.length > 0 ? within : [registry.find(word)];
}

function withoutHelp(topic: string): string {
  return topic.replace(/:help$/, '');
}

function oneCommand(command: Command): string[] {
  const flags = flagList(command).map(({ name, kind }) => [flagForm(name, kind), kind.help ?? '']);
  const block = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map(line => `    ${line}`)];
  return [
    `Usage: ${usage(command)}`,
    '',
    command.summary,
    ...(command.description ? ['', command.description] : []),
    ...block('Flags:', columns(flags)),
    ...block('Also called:', command.aliases ?? []),
    ...block('Examples:', command.examples ?? []),
  ];
}

function usageWithoutFlags(command: Command): string {
  return usage({ ...command, flags: {} });
}
