import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { ConfigKey } from '../domain/names.ts';
import type { Place, Seal } from './seal.ts';

/** Whose variables: one app's, or those that every app has unless its own say otherwise. */
export type ConfigOwner = App | 'global';

type Row = { key: string; sealed: Buffer; secret: 0 | 1 };

/** Config variables, byte for byte as they were set, encrypted at rest. Keys come back in byte order. */
export function configStore(db: Database, seal: Seal) {
  const ofApp = db.prepare<[number], Row>(
    'SELECT key, sealed, secret FROM config WHERE app_id = ? ORDER BY key',
  );
  const ofAll = db.prepare<[], Row>('SELECT key, sealed, secret FROM global_config ORDER BY key');
  // What is write-only stays so when it is set again.
  const putOfApp = db.prepare<[number, string, Buffer, 0 | 1]>(
    `INSERT INTO config (app_id, key, sealed, secret) VALUES (?, ?, ?, ?)
     ON CONFLICT (app_id, key) DO UPDATE SET sealed = excluded.sealed, secret = max(secret, excluded.secret)`,
  );
  const putOfAll = db.prepare<[string, Buffer, 0 | 1]>(
    `INSERT INTO global_config (key, sealed, secret) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET sealed = excluded.sealed, secret = max(secret, excluded.secret)`,
  );
  const removeOfApp = db.prepare<[number, string]>('DELETE FROM config WHERE app_id = ? AND key = ?');
  const removeOfAll = db.prepare<[string]>('DELETE FROM global_config WHERE key = ?');

  const put = (owner: ConfigOwner, key: string, value: string, secret = false): void => {
    const sealed = seal.seal(value, placeOf(owner, key));
    if (owner === 'global') putOfAll.run(key, sealed, secret ? 1 : 0);
    else putOfApp.run(owner.id, key, sealed, secret ? 1 : 0);
  };
  const remove = (owner: ConfigOwner, key: string): boolean =>
    (owner === 'global' ? removeOfAll.run(key) : removeOfApp.run(owner.id, key)).changes > 0;
  /** What was set for the app, or for all, itself. */
  const own = (owner: ConfigOwner): Record<string, string> =>
    Object.fromEntries(rowsOf(owner).map(({ key, sealed }) => [key, seal.open(sealed, placeOf(owner, key))]));
  const rowsOf = (owner: ConfigOwner): Row[] => (owner === 'global' ? ofAll.all() : ofApp.all(owner.id));
  const secretOf = (rows: readonly Row[]): string[] => rows.flatMap(row => (row.secret ? [row.key] : []));

  return {
    own,
    /** What the app is built and run with: its own over those of all apps. */
    merged(app: App): Record<string, string> {
      const both = Object.entries({ ...own('global'), ...own(app) });
      return Object.fromEntries(both.sort(([a], [b]) => (a < b ? -1 : 1)));
    },
    /** Which of its own are write-only: they go into builds and instances, and are never shown. */
    secretKeys: (owner: ConfigOwner): readonly string[] => secretOf(rowsOf(owner)),
    /** Which of those that the app runs with are. */
    mergedSecretKeys(app: App): readonly string[] {
      const rows = rowsOf(app);
      const hidden = new Set(rows.map(({ key }) => key));
      return secretOf([...rowsOf('global').filter(({ key }) => !hidden.has(key)), ...rows]);
    },
    set: db.transaction(
      (owner: ConfigOwner, pairs: ReadonlyMap<ConfigKey, string>, { secret = false } = {}): void => {
        for (const [key, value] of pairs) put(owner, key, value, secret);
      },
    ),
    /** Gives another app all that is set for one. */
    copy: db.transaction((from: App, to: App): void => {
      const secret = new Set(secretOf(rowsOf(from)));
      for (const [key, value] of Object.entries(own(from))) put(to, key, value, secret.has(key));
    }),
    /** Whether the key was there. */
    unset: (owner: ConfigOwner, key: ConfigKey): boolean => remove(owner, key),
    /** Makes what is set exactly this (an import). */
    replace: db.transaction(
      (owner: ConfigOwner, values: ReadonlyMap<ConfigKey, string>, { secret = false } = {}): void => {
        const kept = new Set<string>(values.keys());
        for (const { key } of rowsOf(owner)) if (!kept.has(key)) remove(owner, key);
        for (const [key, value] of values) put(owner, key, value, secret);
      },
    ),
    /** Makes the app run with these again (a rollback), as far as config of all apps lets it. */
    restore: db.transaction(
      (app: App, values: Readonly<Record<string, string>>, secretKeys: readonly string[]): void => {
        const before = new Set(rowsOf(app).map(({ key }) => key));
        const shared = own('global');
        const secret = new Set(secretKeys);
        for (const key of before) if (!Object.hasOwn(values, key)) remove(app, key);
        for (const [key, value] of Object.entries(values))
          if (shared[key] !== value || before.has(key)) put(app, key, value, secret.has(key));
      },
    ),
  };
}

function placeOf(owner: ConfigOwner, key: string): Place {
  return owner === 'global' ? ['global_config', key] : ['config', owner.id, key];
}
