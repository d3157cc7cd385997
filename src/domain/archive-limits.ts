import { formatBytes, parseMemory } from './bytes.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** What an archive of source code may hold, by dokku's names. */
const rules = {
  'archive-max-files': { usual: 50_000, most: 200_000, parse: parseCount, show: String },
  'archive-max-size': { usual: 2 ** 30, most: 2 * 2 ** 30, parse: parseSize, show: formatBytes },
} as const;

export type ArchiveProperty = keyof typeof rules;

export const archiveProperties = Object.keys(rules) as readonly ArchiveProperty[];

/** The name that it is stored under. */
export const archiveKey = (property: ArchiveProperty): string => `git-${property}`;

/** As it is stored: a number of files, or of bytes. @throws invalid */
export function parseArchiveLimit(property: ArchiveProperty, text: string): string {
  const { parse, most, show } = rules[property];
  const value = parse(text);
  if (value >= 1 && value <= most) return String(value);
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no ${property}. Give one up to ${show(most)}.`,
  );
}

/** For people, `usual` where nothing is set. */
export function shownArchiveLimit(property: ArchiveProperty, stored: string | undefined): string {
  const { show, usual } = rules[property];
  return show(stored === undefined ? usual : Number(stored));
}

export function archiveLimitsOf(get: (key: string) => string | undefined): {
  entries: number;
  bytes: number;
} {
  const of = (property: ArchiveProperty) => Number(get(archiveKey(property)) ?? rules[property].usual);
  return { entries: of('archive-max-files'), bytes: of('archive-max-size') };
}

function parseCount(text: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
}

/** A bare number is bytes, as dokku has it; with a unit as everywhere. */
function parseSize(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : parseMemory(text);
}
