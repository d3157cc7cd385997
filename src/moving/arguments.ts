import { resolve } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName, quoteForPeople } from '../domain/names.ts';
import { type DokkuAddress, parseDokkuAddress } from './dokku/address.ts';

export type ImportArguments = {
  readonly data: string;
  readonly address: DokkuAddress;
  /** None: all. */
  readonly apps: readonly AppName[];
  readonly apply: boolean;
  readonly sshConfig: string | undefined;
};

const usage = 'wherry import dokku HOST [--app APP]... [--apply] [--ssh-config FILE]';
const defaultData = '/var/lib/wherry';

/** The words of `wherry [--data DIR] import dokku HOST ...`. @throws usage, invalid */
export function readImportArguments(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ImportArguments {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  let apply = false;
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, name, inline] = /^--(data|app|ssh-config)(?:=(.*))?$/s.exec(word) ?? [];
    if (word === '--apply') apply = true;
    else if (name !== undefined) {
      const value = inline ?? left.shift();
      if (value === undefined || value === '') throw wrong(`Flag --${name} needs a value.`);
      values.set(name, [...(values.get(name) ?? []), value]);
    } else if (word.startsWith('-')) throw wrong(`Flag ${quoteForPeople(word)} is not known to import.`);
    else words.push(word);
  }
  const [, source, host, extra] = words;
  if (source !== 'dokku') throw wrong('Say from what to import: dokku.');
  if (host === undefined) throw wrong('Name the dokku host.');
  if (extra !== undefined)
    throw wrong(`${quoteForPeople(extra)} is one word too many. Name apps with --app.`);
  return {
    data: resolve(values.get('data')?.at(-1) ?? (env['WHERRY_DATA'] || defaultData)),
    address: parseDokkuAddress(host),
    apps: [...new Set((values.get('app') ?? []).map(parseAppName))],
    apply,
    sshConfig: values.get('ssh-config')?.at(-1),
  };
}

function wrong(message: string): WherryError {
  return new WherryError('usage', message, { hint: `Usage: ${usage}` });
}
