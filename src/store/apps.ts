import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';

type Row = { id: number; name: AppName; created_at: number; deploy_branch: string | null; stopped: number };

export function appsStore(db: Database) {
  const byName = db.prepare<[string], Row>('SELECT * FROM apps WHERE name = ?');
  const all = db.prepare<[], Row>('SELECT * FROM apps ORDER BY name');
  const insert = db.prepare<[string, number]>(
    'INSERT INTO apps (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING',
  );
  const remove = db.prepare<[number]>('DELETE FROM apps WHERE id = ?');
  const branch = db.prepare<[string | null, number]>('UPDATE apps SET deploy_branch = ? WHERE id = ?');
  const name = db.prepare<[string, number]>('UPDATE apps SET name = ? WHERE id = ?');
  const stopped = db.prepare<[number, number]>('UPDATE apps SET stopped = ? WHERE id = ?');

  const find = (name: AppName): App | undefined => {
    const row = byName.get(name);
    return row && toApp(row);
  };
  const get = (name: AppName): App => {
    const app = find(name);
    if (!app) throw new WherryError('app-not-found', `App ${name} does not exist`);
    return app;
  };

  return {
    find,
    /** @throws app-not-found */
    get,
    list: (): App[] => all.all().map(toApp),
    /** @throws conflict when the name is taken */
    create(name: AppName, at: Date): App {
      if (insert.run(name, at.getTime()).changes === 0)
        throw new WherryError('conflict', 'Name is already taken');
      return get(name);
    },
    rename: (app: App, to: AppName): void => void name.run(to, app.id),
    remove: (app: App): void => void remove.run(app.id),
    setDeployBranch: (app: App, name: string | null): void => void branch.run(name, app.id),
    setStopped: (app: App, value: boolean): void => void stopped.run(value ? 1 : 0, app.id),
  };
}

function toApp(row: Row): App {
  return {
    id: row.id,
    name: row.name,
    createdAt: new Date(row.created_at),
    deployBranch: row.deploy_branch,
    stopped: row.stopped === 1,
  };
}
