import { WherryError } from '../domain/errors.ts';
import type { ArgKind } from './args.ts';
import { isMissing, shown } from './args.ts';
import type { Command } from './define.ts';
import type { Words } from './grammar.ts';
import { flagList, usage } from './usage.ts';

/** A command's arguments and flags by name, each parsed by its kind. */
export type Input = Readonly<Record<string, unknown>>;

/** The same as it came: words, or values of JSON. */
export type Given = Readonly<Record<string, unknown>>;

/** @throws usage when words are missing or too many, invalid when one does not parse */
export function parseWords(command: Command, words: Words): Input {
  return parseGiven(command, givenBy(command, words));
}

/** Which word is what. @throws usage when there are too many */
export function givenBy(command: Command, words: Words): Given {
  const left = [...words.positional];
  const given: Record<string, unknown> = Object.fromEntries(words.flags);
  for (const [name, kind] of Object.entries(command.args)) {
    given[name] = kind.rest ? left.splice(0) : left.shift();
  }
  if (left.length > 0)
    throw new WherryError('usage', `${shown(left[0])} is one word too many for ${command.name}.`, {
      hint: `Usage: ${usage(command)}`,
    });
  const catchAll = flagList(command).find(({ kind }) => kind.unknownFlags);
  if (catchAll && words.unknown.length > 0) given[catchAll.key] = words.unknown;
  return given;
}

/** The same from a JSON object, whose keys are the names of arguments and flags. @throws usage, invalid */
export function parseJson(command: Command, body: Given): Input {
  const known = new Set([...Object.keys(command.args), ...Object.keys(command.flags ?? {})]);
  const stray = Object.keys(body).find(key => !known.has(key));
  if (stray !== undefined) {
    throw new WherryError(
      'usage',
      `Key ${shown(stray)} is not known to ${command.name}. Known are: ${[...known].join(', ') || 'none'}.`,
    );
  }
  return parseGiven(command, body);
}

type NamedApp = {
  readonly name: string;
  /** Whether it must be there. */
  readonly exists: boolean;
  readonly isNew: boolean;
};

/** The name of the app that the command is about, if it is about one. */
export function appOf(command: Command, input: Input): NamedApp | undefined {
  const found = Object.entries(command.args).find(([, kind]) => kind.role !== undefined);
  const name = found && input[found[0]];
  return typeof name === 'string'
    ? { name, exists: found?.[1].role === 'app', isNew: found?.[1].role === 'new-app' }
    : undefined;
}

/** The same about another app. */
export function withApp(command: Command, input: Input, app: string): Input {
  const found = Object.entries(command.args).find(([, kind]) => kind.role !== undefined);
  return found ? { ...input, [found[0]]: app } : input;
}

/** The name that it gives to another: of a rename or a clone. */
export function secondAppOf(command: Command, input: Input): string | undefined {
  const [, second] = Object.entries(command.args).filter(([, kind]) => kind.role !== undefined);
  const name = second && input[second[0]];
  return typeof name === 'string' ? name : undefined;
}

/** Whether what is meant is of all apps: `--global` in an app's place, or as a report's one flag. */
export function isGlobal(command: Command, input: Input): boolean {
  if (
    Object.entries(command.flags ?? {}).some(([name, kind]) => kind.unknownFlags && input[name] === 'global')
  )
    return appOf(command, input) === undefined;
  return Object.entries(command.args).some(
    ([name, kind]) => kind.orGlobal && (input[name] === undefined || input[name] === '--global'),
  );
}

/** @throws usage when one is missing, invalid when one does not parse */
export function parseGiven(command: Command, given: Given): Input {
  const input: Record<string, unknown> = {};
  const kinds = [...Object.entries(command.args), ...Object.entries(command.flags ?? {})];
  for (const [name, kind] of kinds) {
    const value = given[name];
    if (kind.required && isMissing(value)) throw missing(command, kind);
    input[name] = kind.parse(value);
  }
  return input;
}

function missing(command: Command, kind: ArgKind<unknown>): WherryError {
  const hint = `Usage: ${usage(command)}`;
  if (kind.role === 'app')
    return new WherryError('invalid', 'Please specify an app to run the command on', { hint });
  return new WherryError('usage', `<${kind.word}> is missing for ${command.name}.`, { hint });
}
