import { existsSync, statSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';
import { Database } from '../system/sqlite.ts';
import { copyDatabase, listCopies } from './copies.ts';
import { damageOf } from './integrity.ts';
import { migrations as ours } from './migrations.ts';

/** A look at the pages takes about a millisecond for each MiB; bytes of a database that is too big for it at each start. */
const quicklyChecked = 2 ** 30;

type OpenOptions = {
  readonly migrations?: readonly string[];
  /** Adds the functions that migrations call. */
  readonly prepare?: (db: Sqlite.Database) => void;
  readonly now?: () => Date;
};

/**
 * Opens the database and brings it up to this version; what is damaged, missing or of a newer Wherry is left as it is.
 * @throws failed with what leads out of it
 */
export function openDatabase(
  path: string,
  { migrations = ours, prepare = () => {}, now = () => new Date() }: OpenOptions = {},
): Sqlite.Database {
  if (path === ':memory:') return openInMemory(migrations, prepare);
  refuseMissing(path);
  const db = openFile(path);
  try {
    prepare(db);
    refuseNewer(db, path, migrations.length);
    if (statSync(path).size <= quicklyChecked) refuseDamaged(db, path);
    migrate(db, { path, migrations, now });
    return db;
  } catch (error) {
    db.close();
    throw isDamage(error) ? damaged(path, error.message, error) : error;
  }
}

function openInMemory(
  migrations: readonly string[],
  prepare: (db: Sqlite.Database) => void,
): Sqlite.Database {
  const db = new Database(':memory:');
  prepare(db);
  db.pragma('foreign_keys = ON');
  run(db, migrations, 0);
  return db;
}

function openFile(path: string): Sqlite.Database {
  let db: Sqlite.Database | undefined;
  try {
    db = new Database(path, { timeout: 5000 });
    db.pragma('journal_mode = WAL');
    // A commit is in the log, and the log on the disk, before anybody hears of it: a loss of power takes back nothing.
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    return db;
  } catch (error) {
    db?.close();
    throw isDamage(error) ? damaged(path, error.message, error) : error;
  }
}

/** An empty one in its place would have every app that runs taken for a stray. */
function refuseMissing(path: string): void {
  if (existsSync(path) || listCopies(path).length === 0) return;
  throw new WherryError('failed', `There is no database at ${path}, and there was one.`, {
    hint: restoreHint,
  });
}

function refuseNewer(db: Sqlite.Database, path: string, known: number): void {
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version <= known) return;
  const back = listCopies(path).find(copy => copy.version <= known);
  throw new WherryError(
    'failed',
    `Database ${path} was used by a newer Wherry (version ${version} of its tables; this one knows ${known}). Start that one${
      back === undefined
        ? ', or restore a backup.'
        : ', or go back to what was before, without all changes since.'
    }`,
    back === undefined ? {} : { hint: `wherry database restore ${back.name}` },
  );
}

function refuseDamaged(db: Sqlite.Database, path: string): void {
  const damage = damageOf(db, 'quick_check');
  if (damage !== undefined) throw damaged(path, damage);
}

/** All or nothing, also when it is killed half-way; the copy is for going back to the older program. */
function migrate(
  db: Sqlite.Database,
  { path, migrations, now }: { path: string; migrations: readonly string[]; now: () => Date },
): void {
  const done = db.pragma('user_version', { simple: true }) as number;
  if (done === migrations.length) return;
  try {
    if (done > 0) copyDatabase(db, path, { at: now(), why: 'upgrade' });
    run(db, migrations, done);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WherryError(
      'failed',
      `Database ${path} could not be brought up to this version and is as it was before: ${why}. Start the Wherry that used it last, or remove the reason and start this one again.`,
      { cause },
    );
  }
}

function run(db: Sqlite.Database, migrations: readonly string[], done: number): void {
  db.transaction(() => {
    for (const migration of migrations.slice(done)) db.exec(migration);
    db.pragma(`user_version = ${migrations.length}`);
  })();
}

function isDamage(error: unknown): error is Error {
  return error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
}

const restoreHint = 'wherry database restore';

function damaged(path: string, damage: string, cause?: unknown): WherryError {
  return new WherryError(
    'failed',
    `Database ${path} is damaged (${damage}). Nothing was changed; apps that run go on running. Look at the disk, then put back the newest copy: it is said what is lost by that.`,
    { hint: restoreHint, cause },
  );
}
