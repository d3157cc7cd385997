import { existsSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';
import { Database } from '../system/sqlite.ts';

/** Reads pages and indexes; what is wrong, in SQLite's words, or nothing. The quick one leaves out whether indexes have what tables have. */
export function damageOf(db: Sqlite.Database, check: 'quick_check' | 'integrity_check'): string | undefined {
  try {
    const said = db.pragma(`${check}(1)`, { simple: true });
    return said === 'ok' ? undefined : String(said).replaceAll(/\s+/g, ' ');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Of a file, all of which is read, also while a daemon has it open. @throws not-found */
export function checkDatabase(file: string): string | undefined {
  if (!existsSync(file)) throw new WherryError('not-found', `There is no database at ${file}.`);
  return reading(file, db => damageOf(db, 'integrity_check'));
}

/** Opens, and closes again, what is not to be changed. */
export function reading<Result>(file: string, read: (db: Sqlite.Database) => Result): Result {
  const db = new Database(file, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}
