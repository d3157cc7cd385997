import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Database } from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';
import { list } from '../system/list.ts';

/** Why a copy of the database was made: for going back from an upgrade, or because it was time. */
type Why = 'upgrade' | 'regular';

export type Copy = {
  readonly name: string;
  readonly file: string;
  readonly at: Date;
  /** How many migrations it has had. */
  readonly version: number;
  readonly why: Why;
  readonly bytes: number;
};

const day = 86_400_000;
/** Copies kept, the newest: of upgrades, of the last hours, and one of each day. */
const kept = { upgrade: 3, regular: 6, days: 7 } as const;

const namePattern = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-v(\d+)-(upgrade|regular)\.db$/;

/** Copies of a database lie in a folder beside it. Newest first. */
export function listCopies(database: string): readonly Copy[] {
  const dir = folderOf(database);
  return list(dir)
    .flatMap(name => {
      const [, year, month, date, hour, minute, second, ms, version, why] = namePattern.exec(name) ?? [];
      if (why === undefined) return [];
      const at = new Date(`${year}-${month}-${date}T${hour}:${minute}:${second}.${ms}Z`);
      const file = join(dir, name);
      const { size: bytes } = statSync(file);
      return [{ name, file, at, version: Number(version), why: why as Why, bytes }];
    })
    .sort((one, other) => other.at.getTime() - one.at.getTime());
}

/**
 * Copies a database that is in use, as it is at this moment, and deletes copies that are too many. What is there under its name is
 * whole, and on the disk. @throws failed when the disk has no room for it
 */
export function copyDatabase(db: Database, database: string, { at, why }: { at: Date; why: Why }): string {
  const dir = folderOf(database);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  for (const left of list(dir).filter(name => name.endsWith('.new'))) rmSync(join(dir, left));
  requireRoom(dir, db);
  const version = db.pragma('user_version', { simple: true });
  const file = join(dir, `${at.toISOString().replaceAll(/[-:.]/g, '')}-v${version}-${why}.db`);
  const unfinished = `${file}.new`;
  try {
    db.prepare('VACUUM INTO ?').run(unfinished);
    chmodSync(unfinished, 0o600);
    toDisk(unfinished);
    renameSync(unfinished, file);
    toDisk(dir);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  for (const copy of superfluous(listCopies(database))) rmSync(copy.file, { force: true });
  return file;
}

/** Copies it, and deletes all copies of before: the key of their secrets is to be given up. */
export function renewCopies(db: Database, database: string, at: Date): void {
  const file = copyDatabase(db, database, { at, why: 'regular' });
  for (const copy of listCopies(database)) if (copy.file !== file) rmSync(copy.file, { force: true });
}

/** What a copy of which days and hours makes one too many. Given newest first. */
export function superfluous(copies: readonly Copy[]): readonly Copy[] {
  const upgrades = copies.filter(({ why }) => why === 'upgrade').slice(0, kept.upgrade);
  const regular = copies.filter(({ why }) => why === 'regular');
  const newest = regular.slice(0, kept.regular);
  const dayOf = ({ at }: Copy) => Math.floor(at.getTime() / day);
  const days = regular
    .filter((copy, at) => regular.findIndex(other => dayOf(other) === dayOf(copy)) === at)
    .slice(0, kept.days);
  const needed = new Set([...upgrades, ...newest, ...days]);
  return copies.filter(copy => !needed.has(copy));
}

/** Waits until a file, or the names in a folder, would outlast a loss of power. */
export function toDisk(path: string): void {
  const opened = openSync(path, 'r');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}

/** A copy must not be what fills the disk. */
function requireRoom(dir: string, db: Database): void {
  const pages = db.pragma('page_count', { simple: true }) as number;
  const needed = 2 * pages * (db.pragma('page_size', { simple: true }) as number);
  const { bavail, bsize } = statfsSync(dir);
  if (bavail * bsize >= needed) return;
  throw new WherryError(
    'failed',
    `The disk has too little room for a copy of the database: ${dir} needs ${Math.ceil(needed / 2 ** 20)} MB free. Delete what is not needed.`,
  );
}

function folderOf(database: string): string {
  return join(dirname(database), 'database-copies');
}
