import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { AppName, Domain } from '../domain/names.ts';

export function domainsStore(db: Database) {
  const ofApp = db.prepare<[number], { domain: Domain }>(
    'SELECT domain FROM domains WHERE app_id = ? ORDER BY position, domain',
  );
  const owner = db.prepare<[string], { id: number; name: AppName }>(
    'SELECT apps.id, apps.name FROM domains JOIN apps ON apps.id = app_id WHERE domain = ?',
  );
  const every = db.prepare<[], { app_id: number; domain: Domain }>(
    'SELECT app_id, domain FROM domains ORDER BY app_id, position, domain',
  );
  const insert = db.prepare<[string, number, number]>(
    'INSERT INTO domains (domain, app_id, position) VALUES (?, ?, (SELECT coalesce(max(position), 0) + 1 FROM domains WHERE app_id = ?))',
  );
  const remove = db.prepare<[number, string]>('DELETE FROM domains WHERE app_id = ? AND domain = ?');
  const clear = db.prepare<[number]>('DELETE FROM domains WHERE app_id = ?');

  const add = (app: App, domain: Domain): boolean => {
    const taken = owner.get(domain);
    if (taken && taken.id !== app.id) {
      throw new WherryError(
        'conflict',
        `Domain ${domain} is already used by app ${taken.name}. Remove it there first.`,
        {
          hint: `domains:remove ${taken.name} ${domain}`,
        },
      );
    }
    if (taken) return false;
    insert.run(domain, app.id, app.id);
    return true;
  };

  return {
    list: (app: App): Domain[] => ofApp.all(app.id).map(row => row.domain),
    /** Which app has it, or nobody. */
    owner: (domain: Domain): AppName | undefined => owner.get(domain)?.name,
    byApp: (): Map<number, Domain[]> => groupByApp(every.all()),
    /** False when the app has it already. @throws conflict when another app has it */
    add,
    /** Whether it was there. */
    remove: (app: App, domain: Domain): boolean => remove.run(app.id, domain).changes > 0,
    /** Exactly these, all or nothing. @throws conflict */
    set: db.transaction((app: App, domains: readonly Domain[]): void => {
      clear.run(app.id);
      for (const domain of domains) add(app, domain);
    }),
  };
}

function groupByApp(rows: readonly { app_id: number; domain: Domain }[]): Map<number, Domain[]> {
  const groups = new Map<number, Domain[]>();
  for (const row of rows) {
    const group = groups.get(row.app_id);
    if (group) group.push(row.domain);
    else groups.set(row.app_id, [row.domain]);
  }
  return groups;
}
