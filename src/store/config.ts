import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { ConfigKey } from '../domain/names.ts';
import type { Seal } from './seal.ts';

/** An app's config variables, byte for byte as they were set, encrypted at rest. Keys come back in byte order. */
export function configStore(db: Database, seal: Seal) {
  const all = db.prepare<[number], { key: string; sealed: Buffer }>(
    'SELECT key, sealed FROM config WHERE app_id = ? ORDER BY key',
  );
  const put = db.prepare<[number, string, Buffer]>(
    'INSERT OR REPLACE INTO config (app_id, key, sealed) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[number, string]>('DELETE FROM config WHERE app_id = ? AND key = ?');
  return {
    all: (app: App): Record<string, string> =>
      Object.fromEntries(all.all(app.id).map(row => [row.key, seal.open(row.sealed)])),
    set: db.transaction((app: App, pairs: ReadonlyMap<ConfigKey, string>): void => {
      for (const [key, value] of pairs) put.run(app.id, key, seal.seal(value));
    }),
    /** Whether the key was there. */
    unset: (app: App, key: ConfigKey): boolean => remove.run(app.id, key).changes > 0,
    /** Makes the config exactly this (a rollback). */
    replace: db.transaction((app: App, values: Readonly<Record<string, string>>): void => {
      for (const { key } of all.all(app.id)) remove.run(app.id, key);
      for (const [key, value] of Object.entries(values)) put.run(app.id, key, seal.seal(value));
    }),
  };
}
