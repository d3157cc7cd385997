import { copyFileSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { Database } from '../system/sqlite.ts';
import { type Copy, listCopies, toDisk } from './copies.ts';
import { damageOf, reading } from './integrity.ts';
import { migrations } from './migrations.ts';

/** A write that the copy does not know of. */
export type LostChange = {
  readonly at: Date;
  readonly user: string;
  readonly command: string;
  readonly app: string | null;
};

export type Restored = {
  readonly copy: Copy;
  /** Copies that are newer, and damaged themselves. */
  readonly passedOver: readonly string[];
  /** Where the database is that was there before; nothing when there was none. */
  readonly aside: string | undefined;
  /** What was done since the copy, oldest first; undefined when the damaged database cannot tell. */
  readonly lost: readonly LostChange[] | undefined;
};

/**
 * Puts a copy in the place of the database that nobody has open: the one that is named, else the newest that is whole. Nothing is
 * deleted, and at no moment is there no database. @throws not-found, failed
 */
export function restoreDatabase(
  database: string,
  { name, now }: { name?: string | undefined; now: Date },
): Restored {
  const { copy, passedOver } = choose(database, name);
  const lost = existsSync(database) ? changesSince(copy, database) : [];
  const fresh = `${database}.new`;
  copyFileSync(copy.file, fresh);
  toDisk(fresh);
  const aside = setAside(database, now);
  renameSync(fresh, database);
  toDisk(dirname(database));
  return { copy, passedOver, aside, lost };
}

function choose(database: string, name: string | undefined): { copy: Copy; passedOver: readonly string[] } {
  const all = listCopies(database);
  const candidates = name === undefined ? all : all.filter(copy => copy.name === name);
  if (candidates.length === 0)
    throw new WherryError(
      'not-found',
      name === undefined
        ? `There is no copy of ${database}. Put back a backup, or the file as it was.`
        : `There is no copy ${name}. See "wherry database copies".`,
    );
  const passedOver: string[] = [];
  for (const copy of candidates) {
    const trouble = troubleOf(copy);
    if (trouble === undefined) return { copy, passedOver };
    passedOver.push(`${copy.name}: ${trouble}`);
  }
  throw new WherryError('failed', `No copy can be put back (${passedOver.join('; ')}). Put back a backup.`);
}

function troubleOf(copy: Copy): string | undefined {
  if (copy.version > migrations.length) return `of a newer Wherry (version ${copy.version} of its tables)`;
  return reading(copy.file, db => damageOf(db, 'integrity_check'));
}

/** By the audit, which both have; the newer one may be unreadable, and where it is is not known before. */
function changesSince(copy: Copy, database: string): readonly LostChange[] | undefined {
  try {
    const last =
      reading(copy.file, db => db.prepare<[], number>('SELECT max(id) FROM audit').pluck().get()) ?? 0;
    return reading(database, db =>
      db
        .prepare<[number], { at: number; user: string; command: string; app: string | null }>(
          'SELECT at, user, command, app FROM audit WHERE id > ? ORDER BY id',
        )
        .all(last)
        .map(row => ({ ...row, at: new Date(row.at) })),
    );
  } catch {
    return undefined;
  }
}

/** The log of the old one goes first: beside the new one it would be read as its own. */
function setAside(database: string, now: Date): string | undefined {
  emptyLog(database);
  const aside = `${database}.before-${now.toISOString().replaceAll(/[-:.]/g, '')}`;
  for (const end of ['-wal', '-shm'])
    if (existsSync(`${database}${end}`)) renameSync(`${database}${end}`, `${aside}${end}`);
  if (!existsSync(database)) return undefined;
  rmSync(aside, { force: true });
  linkSync(database, aside);
  return aside;
}

/** Where it can be: then whatever ends this half-way has lost nothing of a database that is whole. */
function emptyLog(database: string): void {
  if (!existsSync(database)) return;
  try {
    const db = new Database(database);
    try {
      db.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      db.close();
    }
  } catch {
    // It is damaged, and kept with its log.
  }
}
