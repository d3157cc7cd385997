import type { Database } from 'better-sqlite3';

/** Named settings of an app (scope `app:<id>`) or of the platform (scope `global`), as text. */
export function propertiesStore(db: Database) {
  const get = db.prepare<[string, string], { value: string }>(
    'SELECT value FROM properties WHERE scope = ? AND name = ?',
  );
  const put = db.prepare<[string, string, string]>(
    'INSERT OR REPLACE INTO properties (scope, name, value) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[string, string]>('DELETE FROM properties WHERE scope = ? AND name = ?');
  const clear = db.prepare<[string]>('DELETE FROM properties WHERE scope = ?');
  const copy = db.prepare<[string, string, string]>(
    `INSERT OR REPLACE INTO properties (scope, name, value)
     SELECT ?, name, value FROM properties WHERE scope = ?
     AND NOT EXISTS (SELECT 1 FROM json_each(?) AS pattern WHERE properties.name GLOB pattern.value)`,
  );
  let version = 0;
  return {
    /** Grows with each change that this process makes. */
    version: (): number => version,
    get: (scope: string, name: string): string | undefined => get.get(scope, name)?.value,
    /** The app's own, or what was set for all. */
    resolve: (appId: number, name: string): string | undefined =>
      get.get(`app:${appId}`, name)?.value ?? get.get('global', name)?.value,
    /** An empty or missing value removes it. */
    set(scope: string, name: string, value: string | undefined): void {
      version++;
      if (value === undefined || value === '') remove.run(scope, name);
      else put.run(scope, name, value);
    },
    /** What `setList` put. */
    list: (scope: string, name: string): readonly string[] =>
      JSON.parse(get.get(scope, name)?.value ?? '[]') as readonly string[],
    /** An empty one removes it. */
    setList(scope: string, name: string, values: readonly string[]): void {
      version++;
      if (values.length === 0) remove.run(scope, name);
      else put.run(scope, name, JSON.stringify(values));
    },
    /** All of one scope to another, but for some names; `kept:*` is all that begin so. */
    copy(from: string, to: string, except: readonly string[]): void {
      version++;
      copy.run(to, from, JSON.stringify(except));
    },
    clear(scope: string): void {
      version++;
      clear.run(scope);
    },
  };
}
