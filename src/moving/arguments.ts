import { resolve } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName, quoteForPeople } from '../domain/names.ts';
import { type DokkuAddress, parseDokkuAddress } from './dokku/address.ts';

/** What is imported from; of dokku no apps named are all of them. */
export type ImportSource =
  | {
      readonly kind: 'dokku';
      readonly address: DokkuAddress;
      readonly apps: readonly AppName[];
      readonly sshConfig: string | undefined;
    }
  | { readonly kind: 'heroku'; readonly apps: readonly AppName[]; readonly folder: string | undefined };

export type ImportArguments = {
  readonly data: string;
  /** The daemon of that folder is meant, whatever else is set. */
  readonly isLocal: boolean;
  readonly apply: boolean;
  readonly source: ImportSource;
};

const usages = {
  dokku: 'wherry import dokku HOST [--app APP]... [--apply] [--ssh-config FILE]',
  heroku: 'wherry import heroku APP... [--apply] [--source FOLDER]',
} as const;
const defaultData = '/var/lib/wherry';

/** The words of `wherry [--data DIR] import dokku|heroku ...`. @throws usage, invalid */
export function readImportArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ImportArguments {
  const { words, flags, apply } = split(argv);
  const [, kind, ...named] = words;
  const last = (flag: string) => flags.get(flag)?.at(-1);
  const isLocal = flags.has('data');
  const data = resolve(last('data') ?? (env['WHERRY_DATA'] || defaultData));
  if (kind === 'dokku') return { data, isLocal, apply, source: readDokku(named, flags) };
  if (kind === 'heroku') return { data, isLocal, apply, source: readHeroku(named, flags) };
  throw new WherryError('usage', 'Say from what to import: dokku or heroku.', {
    hint: `Usage: ${Object.values(usages).join(', or: ')}`,
  });
}

type Flags = ReadonlyMap<string, readonly string[]>;

function readDokku(words: readonly string[], flags: Flags): ImportSource {
  const [host, extra] = words;
  refuse(flags, ['source'], 'dokku');
  if (host === undefined) throw wrong('Name the dokku host.', 'dokku');
  if (extra !== undefined)
    throw wrong(`${quoteForPeople(extra)} is one word too many. Name apps with --app.`, 'dokku');
  return {
    kind: 'dokku',
    address: parseDokkuAddress(host),
    apps: unique(flags.get('app')),
    sshConfig: flags.get('ssh-config')?.at(-1),
  };
}

function readHeroku(words: readonly string[], flags: Flags): ImportSource {
  refuse(flags, ['ssh-config'], 'heroku');
  const apps = unique([...words, ...(flags.get('app') ?? [])]);
  const folder = flags.get('source')?.at(-1);
  if (apps.length === 0) throw wrong('Name the apps at Heroku.', 'heroku');
  if (folder !== undefined && apps.length > 1)
    throw wrong('--source is the repository of one app. Import that one by itself.', 'heroku');
  return { kind: 'heroku', apps, folder: folder === undefined ? undefined : resolve(folder) };
}

function split(argv: readonly string[]): { words: readonly string[]; flags: Flags; apply: boolean } {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  let apply = false;
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, name, inline] = /^--(data|app|ssh-config|source)(?:=(.*))?$/s.exec(word) ?? [];
    if (word === '--apply') apply = true;
    else if (name !== undefined) {
      const value = inline ?? left.shift();
      if (value === undefined || value === '')
        throw new WherryError('usage', `Flag --${name} needs a value.`);
      flags.set(name, [...(flags.get(name) ?? []), value]);
    } else if (word.startsWith('-'))
      throw new WherryError('usage', `Flag ${quoteForPeople(word)} is not known to import.`);
    else words.push(word);
  }
  return { words, flags, apply };
}

function refuse(flags: Flags, names: readonly string[], kind: keyof typeof usages): void {
  const stray = names.find(name => flags.has(name));
  if (stray !== undefined) throw wrong(`Flag --${stray} is not for ${kind}.`, kind);
}

function unique(names: readonly string[] = []): readonly AppName[] {
  return [...new Set(names.map(parseAppName))];
}

function wrong(message: string, kind: keyof typeof usages): WherryError {
  return new WherryError('usage', message, { hint: `Usage: ${usages[kind]}` });
}
