import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { AppName } from '../domain/names.ts';
import type { Grant, Role } from '../domain/people.ts';

type Row = { role: Role; app: AppName | null };

/** Users and their roles. A role on an app goes with the app, and stays with it through a rename. */
export function peopleStore(db: Database) {
  const users = db.prepare<[], { name: string }>('SELECT name FROM users ORDER BY name');
  const user = db.prepare<[string], { name: string }>('SELECT name FROM users WHERE name = ?');
  const insert = db.prepare<[string, number]>('INSERT OR IGNORE INTO users (name, created_at) VALUES (?, ?)');
  const remove = db.prepare<[string]>('DELETE FROM users WHERE name = ?');
  const grants = db.prepare<[string], Row>(
    'SELECT role, apps.name AS app FROM grants LEFT JOIN apps ON apps.id = app_id WHERE user = ? ORDER BY app',
  );
  const grant = db.prepare<[string, number, Role]>(
    'INSERT INTO grants (user, app_id, role) VALUES (?, ?, ?)',
  );
  const grantEverywhere = db.prepare<[string, Role]>('INSERT INTO grants (user, role) VALUES (?, ?)');
  const revoke = db.prepare<[string, number]>('DELETE FROM grants WHERE user = ? AND app_id = ?');
  const revokeEverywhere = db.prepare<[string]>('DELETE FROM grants WHERE user = ? AND app_id IS NULL');
  const owners = db.prepare<[], { count: number }>(
    "SELECT count(*) AS count FROM grants WHERE role = 'owner' AND app_id IS NULL",
  );

  /** Whether there was one. */
  const drop = (name: string, app?: App): boolean =>
    (app ? revoke.run(name, app.id) : revokeEverywhere.run(name)).changes > 0;

  return {
    list: (): string[] => users.all().map(({ name }) => name),
    exists: (name: string): boolean => user.get(name) !== undefined,
    /** Makes the user unless it is there. */
    ensure: (name: string, at: Date): void => void insert.run(name, at.getTime()),
    /** With keys, roles and tokens. */
    remove: (name: string): boolean => remove.run(name).changes > 0,
    grants: (name: string): Grant[] =>
      grants.all(name).map(({ role, app }) => (app === null ? { role } : { role, app })),
    /** One role for everywhere, and one an app: a new one takes the place of the old. */
    grant(name: string, role: Role, app?: App): void {
      drop(name, app);
      if (app) grant.run(name, app.id, role);
      else grantEverywhere.run(name, role);
    },
    revoke: drop,
    /** How many are owner. */
    owners: (): number => owners.get()?.count ?? 0,
  };
}
