import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { Seal } from './seal.ts';

type Named = { readonly plugin: string; readonly name: string };

/** Settings of plugins that nobody may read, encrypted at rest; of an app, or of all. They go with their app. */
export function pluginSecretsStore(db: Database, seal: Seal) {
  const get = db.prepare<[string, string, number | null], { sealed: Buffer }>(
    'SELECT sealed FROM plugin_secrets WHERE plugin = ? AND name = ? AND app_id IS ?',
  );
  const remove = db.prepare<[string, string, number | null]>(
    'DELETE FROM plugin_secrets WHERE plugin = ? AND name = ? AND app_id IS ?',
  );
  const put = db.prepare<[string, string, number | null, Buffer]>(
    'INSERT INTO plugin_secrets (plugin, name, app_id, sealed) VALUES (?, ?, ?, ?)',
  );
  return {
    get({ plugin, name }: Named, app: App | undefined): string | undefined {
      const row = get.get(plugin, name, app?.id ?? null);
      return row && seal.open(row.sealed, ['plugin_secrets', plugin, name, app?.id ?? null]);
    },
    /** Without a value it is removed. */
    set: db.transaction(({ plugin, name }: Named, app: App | undefined, value: string | undefined) => {
      const id = app?.id ?? null;
      remove.run(plugin, name, id);
      if (value === undefined) return;
      put.run(plugin, name, id, seal.seal(value, ['plugin_secrets', plugin, name, id]));
    }),
  };
}
