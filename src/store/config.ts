import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { ConfigKey } from '../domain/names.ts';
import type { Place, Seal } from './seal.ts';

/** Whose variables: one app's, or those that every app has unless its own say otherwise. */
export type ConfigOwner = App | 'global';

type Row = { key: string; sealed: Buffer };

/** Config variables, byte for byte as they were set, encrypted at rest. Keys come back in byte order. */
export function configStore(db: Database, seal: Seal) {
  const ofApp = db.prepare<[number], Row>('SELECT key, sealed FROM config WHERE app_id = ? ORDER BY key');
  const ofAll = db.prepare<[], Row>('SELECT key, sealed FROM global_config ORDER BY key');
  const putOfApp = db.prepare<[number, string, Buffer]>(
    'INSERT OR REPLACE INTO config (app_id, key, sealed) VALUES (?, ?, ?)',
  );
  const putOfAll = db.prepare<[string, Buffer]>(
    'INSERT OR REPLACE INTO global_config (key, sealed) VALUES (?, ?)',
  );
  const removeOfApp = db.prepare<[number, string]>('DELETE FROM config WHERE app_id = ? AND key = ?');
  const removeOfAll = db.prepare<[string]>('DELETE FROM global_config WHERE key = ?');

  const put = (owner: ConfigOwner, key: string, value: string): void => {
    const sealed = seal.seal(value, placeOf(owner, key));
    if (owner === 'global') putOfAll.run(key, sealed);
    else putOfApp.run(owner.id, key, sealed);
  };
  const remove = (owner: ConfigOwner, key: string): boolean =>
    (owner === 'global' ? removeOfAll.run(key) : removeOfApp.run(owner.id, key)).changes > 0;
  /** What was set for the app, or for all, itself. */
  const own = (owner: ConfigOwner): Record<string, string> =>
    Object.fromEntries(
      (owner === 'global' ? ofAll.all() : ofApp.all(owner.id)).map(row => [
        row.key,
        seal.open(row.sealed, placeOf(owner, row.key)),
      ]),
    );

  return {
    own,
    /** What the app is built and run with: its own over those of all apps. */
    merged(app: App): Record<string, string> {
      const both = Object.entries({ ...own('global'), ...own(app) });
      return Object.fromEntries(both.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    set: db.transaction((owner: ConfigOwner, pairs: ReadonlyMap<ConfigKey, string>): void => {
      for (const [key, value] of pairs) put(owner, key, value);
    }),
    /** Whether the key was there. */
    unset: (owner: ConfigOwner, key: ConfigKey): boolean => remove(owner, key),
    /** Makes what is set exactly this (an import). */
    replace: db.transaction((owner: ConfigOwner, values: ReadonlyMap<ConfigKey, string>): void => {
      for (const key of Object.keys(own(owner))) remove(owner, key);
      for (const [key, value] of values) put(owner, key, value);
    }),
    /** Makes the app run with these again (a rollback), as far as config of all apps lets it. */
    restore: db.transaction((app: App, values: Readonly<Record<string, string>>): void => {
      const before = own(app);
      const shared = own('global');
      for (const key of Object.keys(before)) remove(app, key);
      for (const [key, value] of Object.entries(values))
        if (shared[key] !== value || Object.hasOwn(before, key)) put(app, key, value);
    }),
  };
}

function placeOf(owner: ConfigOwner, key: string): Place {
  return owner === 'global' ? ['global_config', key] : ['config', owner.id, key];
}
