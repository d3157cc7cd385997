import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { ArgKind } from './args.ts';
import type { Command } from './define.ts';
import { flagList, usage } from './usage.ts';

/** What may be said with any command, before or after its name. */
export type Globals = {
  app?: string;
  /** The app of the folder that the person is in, as the local client finds it. */
  here?: string;
  quiet: boolean;
  force: boolean;
  trace: boolean;
  help: boolean;
  format: 'stdout' | 'json';
};

/** A command line, taken apart but not yet parsed: the word that names the command, and what follows. */
export type Invocation = {
  readonly name: string | undefined;
  readonly rest: readonly string[];
  readonly globals: Globals;
};

/** The words of a command after its name: positional ones, and flags as they were given. */
export type Words = {
  readonly positional: readonly string[];
  readonly flags: ReadonlyMap<string, unknown>;
  readonly unknown: readonly string[];
};

/** Reads the global flags in front and the command's name. `--` in front of the name is dokku's habit, and skipped. */
export function readInvocation(words: readonly string[]): Invocation {
  const globals: Globals = { quiet: false, force: false, trace: false, help: false, format: 'stdout' };
  const left = [...words];
  while (left[0]?.startsWith('-')) {
    const word = left.shift() ?? '';
    if (word === '--') continue;
    if (word === '--version' || word === '-v') return { name: 'version', rest: left, globals };
    if (!readGlobal(word, left, globals)) {
      throw new WherryError('usage', `Flag ${quoteForPeople(word)} is not known in front of a command.`, {
        hint: 'See `wherry help` for a list of available commands.',
      });
    }
  }
  return { name: left.shift(), rest: left, globals };
}

/** Sorts the words after a command's name; flags may stand anywhere before `--`; -1 is a number. @throws usage */
export function readWords(command: Command, rest: readonly string[], globals: Globals): Words {
  const known = flagList(command);
  const takesUnknown = known.some(({ kind }) => kind.unknownFlags);
  const takesGlobal = Object.values(command.args).some(kind => kind.orGlobal);
  const verbatimAt = Object.values(command.args).findIndex(kind => kind.verbatim);
  const appAt = Math.max(
    0,
    Object.values(command.args).findIndex(kind => kind.role !== undefined),
  );
  const left = [...rest];
  const positional: string[] = [];
  const flags = new Map<string, unknown>();
  const unknown: string[] = [];

  const long = (word: string): void => {
    const at = word.indexOf('=');
    const name = at < 0 ? word.slice(2) : word.slice(2, at);
    const own = known.find(flag => flag.name === name && !flag.kind.unknownFlags);
    if (own) {
      const value = flagValue(command, word, own.kind, left);
      const before = own.kind.rest ? (flags.get(own.key) ?? []) : undefined;
      flags.set(own.key, Array.isArray(before) ? [...before, value] : value);
    } else if (word === '--global' && takesGlobal) positional.unshift(word);
    else if (readGlobal(word, left, globals)) return;
    else if (takesUnknown) unknown.push(name);
    else throw unknownFlag(command, word);
  };

  /** `-t`, `-n 50`, `-n50`, `-tn 50`. */
  const short = (word: string): void => {
    for (let letters = word.slice(1); letters !== ''; letters = letters.slice(1)) {
      const own = known.find(flag => flag.kind.short === letters[0]);
      if (!own) {
        if (letters === word.slice(1) && readGlobal(word, left, globals)) return;
        throw unknownFlag(command, word);
      }
      if (own.kind.toggle) {
        flags.set(own.key, true);
        continue;
      }
      const attached = letters.slice(1).replace(/^=/, '');
      flags.set(own.key, attached === '' ? nextWord(command, word, left) : attached);
      return;
    }
  };

  while (left.length > 0) {
    const word = left.shift() ?? '';
    const before = positional.length + (globals.app === undefined ? 0 : 1);
    if (word === '--' || (verbatimAt >= 0 && before >= verbatimAt))
      positional.push(...(word === '--' ? [] : [word]), ...left.splice(0));
    else if (word.startsWith('--')) long(word);
    else if (/^-\D/.test(word)) short(word);
    else positional.push(word);
  }
  if (globals.app !== undefined) positional.splice(appAt, 0, globals.app);
  else if (meansGlobal(command, positional, globals)) positional.unshift('--global');
  return { positional, flags, unknown };
}

/** Whether an app is left out, where `--global` need not be said. */
function meansGlobal(command: Command, words: readonly string[], { here }: Globals): boolean {
  const kinds = Object.values(command.args);
  const [first] = words;
  if (!kinds[0]?.globalBefore || first === '--global' || words.length >= kinds.length) return false;
  return first === undefined ? here === undefined : kinds[0].globalBefore(first);
}

/** Whether `--format json` was asked for, also in a line that is otherwise wrong. */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf('--', 1);
  const flags = end < 0 ? words : words.slice(0, end);
  return flags.some(
    (word, at) => word === '--format=json' || (word === '--format' && flags[at + 1] === 'json'),
  );
}

/** Takes one global flag, its value from `left`. False when the word is none. */
function readGlobal(word: string, left: string[], globals: Globals): boolean {
  const [name = '', inline] = splitFlag(word);
  const value = () => inline ?? left.shift();
  switch (name) {
    case '--app':
      globals.app = value() ?? '';
      return true;
    case '--here':
      globals.here = value() ?? '';
      return true;
    case '--format':
      globals.format = readFormat(value());
      return true;
    case '--quiet':
    case '-q':
      globals.quiet = true;
      return true;
    case '--force':
      globals.force = true;
      return true;
    case '--trace':
      globals.trace = true;
      return true;
    case '--help':
    case '-h':
      globals.help = true;
      return true;
    default:
      return false;
  }
}

function splitFlag(word: string): [string, string | undefined] {
  const at = word.indexOf('=');
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function readFormat(text: string | undefined): 'stdout' | 'json' {
  if (text === 'stdout' || text === 'json') return text;
  throw new WherryError('usage', `Format ${quoteForPeople(text ?? '')} is not known. Give stdout or json.`);
}

function flagValue(command: Command, word: string, kind: ArgKind<unknown>, left: string[]): unknown {
  const [, inline] = splitFlag(word);
  if (kind.toggle) return inline ?? true;
  return inline ?? nextWord(command, word, left);
}

function nextWord(command: Command, word: string, left: string[]): string {
  const next = left.shift();
  if (next === undefined)
    throw new WherryError('usage', `Flag ${word} needs a value.`, { hint: `Usage: ${usage(command)}` });
  return next;
}

function unknownFlag(command: Command, word: string): WherryError {
  const [name] = splitFlag(word);
  return new WherryError('usage', `Flag ${quoteForPeople(name)} is not known to ${command.name}.`, {
    hint: `Usage: ${usage(command)}`,
  });
}
