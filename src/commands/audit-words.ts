import { quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asList } from './args.ts';
import type { Command } from './define.ts';
import type { Given } from './parse.ts';
import { flagList } from './usage.ts';

/** Characters of one word, and of all. */
const longestWord = 100;
const longest = 500;
const hidden = '***';

/** What was asked for beside the app, for people, on one line: secrets are left out, and what is long is cut. */
export function auditWords(command: Command, given: Given): string {
  const app = Object.entries(command.args).find(([, kind]) => kind.role !== undefined)?.[0];
  const args = Object.entries(command.args)
    .filter(([name]) => name !== app)
    .flatMap(([name, kind]) => wordsOf(kind, given[name]));
  const flags = flagList(command).flatMap(({ key, name, kind }) => flagWords(name, kind, given[key]));
  return cut([...args, ...flags].join(' '), longest);
}

function flagWords(name: string, kind: ArgKind<unknown>, value: unknown): readonly string[] {
  if (kind.toggle) return value === undefined || value === false || value === 'false' ? [] : [`--${name}`];
  return wordsOf(kind, value).map(word => `--${name} ${word}`);
}

function wordsOf({ secret }: ArgKind<unknown>, value: unknown): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  const words = textsOf(value);
  switch (secret) {
    case 'all':
      return [hidden];
    case 'rest':
      return words.length > 1 ? [shown(words[0]), hidden] : words.map(shown);
    case 'values':
      return words.map(word => (word.includes('=') ? `${shown(keyOf(word))}=${hidden}` : hidden));
    case 'assigned':
      return words.map(word => (word.includes('=') ? `${shown(keyOf(word))}=${hidden}` : shown(word)));
    default:
      return words.map(shown);
  }
}

/** As words they would have been, of JSON too. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || Array.isArray(value) || value === null)
    return asList(value).map(item => (typeof item === 'string' ? item : (JSON.stringify(item) ?? '')));
  return Object.entries(value).map(([key, content]) => `${key}=${String(content)}`);
}

function keyOf(word: string): string {
  return word.slice(0, word.indexOf('='));
}

/** Without what URLs carry beside their place: logins, and queries with tokens. */
function shown(word = ''): string {
  const place = word
    .replace(/:\/\/[^/@]*@/g, `://${hidden}@`)
    .replace(/(:\/\/[^?#\s]*)[?#]\S*/g, `$1?${hidden}`);
  const short = cut(place, longestWord);
  return /^[\p{L}\p{N}_@%+=:,./|*?…-]+$/u.test(short) ? short : quoteForPeople(short);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
