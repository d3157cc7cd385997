import type { ArgKind } from './args.ts';
import type { Command } from './define.ts';

/** `ps:scale <app> [<process=count>...]`, flags included. */
export function usage(command: Command): string {
  const positional = Object.values(command.args).map(placeholder);
  const flags = flagList(command).map(({ name, kind }) => `[${flagForm(name, kind)}]`);
  return [command.name, ...flags, ...positional].join(' ');
}

export type NamedFlag = { readonly key: string; readonly name: string; readonly kind: ArgKind<unknown> };

/** A command's flags with their typed names: `noRestart` is `no-restart`. */
export function flagList(command: Command): readonly NamedFlag[] {
  return Object.entries(command.flags ?? {}).map(([key, kind]) => ({
    key,
    name: key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`),
    kind,
  }));
}

/** `-n, --num <lines>` for the help. */
export function flagForm(name: string, kind: ArgKind<unknown>): string {
  if (kind.unknownFlags) return `--<${kind.word}>`;
  const value = kind.toggle ? '' : ` <${kind.word}>`;
  return `${kind.short ? `-${kind.short}|` : ''}--${name}${value}`;
}

function placeholder(kind: ArgKind<unknown>): string {
  const word = `<${kind.word}>${kind.rest ? '...' : ''}`;
  return kind.required ? word : `[${word}]`;
}
