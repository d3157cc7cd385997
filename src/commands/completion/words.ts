import type { Command } from '../define.ts';
import type { Registry } from '../registry.ts';
import { flagList } from '../usage.ts';

/** What a shell offers after a command's name. */
export type Completion = {
  readonly name: string;
  readonly summary: string;
  /** What each positional word may be; nothing where only the person knows. */
  readonly words: readonly ('app' | readonly string[])[];
  readonly flags: readonly { readonly name: string; readonly help: string }[];
};

export const globalFlags = [
  { name: 'app', help: 'the app' },
  { name: 'quiet', help: 'less output' },
  { name: 'force', help: 'ask nothing' },
  { name: 'format', help: 'stdout or json' },
  { name: 'help', help: 'explain the command' },
];

export function completions(registry: Registry): readonly Completion[] {
  return registry.list().map(command => ({
    name: command.name,
    summary: command.summary,
    words: Object.values(command.args).map(kind => (kind.role === 'app' ? 'app' : choicesOf(kind.schema))),
    flags: namedFlags(command),
  }));
}

function namedFlags(command: Command): Completion['flags'] {
  return flagList(command)
    .filter(({ kind }) => !kind.unknownFlags)
    .map(({ name, kind }) => ({ name, help: kind.help ?? '' }));
}

function choicesOf(schema: Readonly<Record<string, unknown>>): readonly string[] {
  const { enum: choices } = schema;
  return Array.isArray(choices) ? choices.filter(choice => typeof choice === 'string') : [];
}
