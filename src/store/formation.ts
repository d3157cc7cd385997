import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { ProcessType } from '../domain/names.ts';

/** How many instances of each process type an app wants. A type without a row: `web` one, others none. */
export function formationStore(db: Database) {
  const all = db.prepare<[number], { type: ProcessType; quantity: number }>(
    'SELECT type, quantity FROM formation WHERE app_id = ? ORDER BY type',
  );
  const put = db.prepare<[number, string, number]>(
    'INSERT OR REPLACE INTO formation (app_id, type, quantity) VALUES (?, ?, ?)',
  );
  return {
    get: (app: App): ReadonlyMap<ProcessType, number> =>
      new Map(all.all(app.id).map(row => [row.type, row.quantity])),
    set: db.transaction((app: App, counts: ReadonlyMap<ProcessType, number>): void => {
      for (const [type, quantity] of counts) put.run(app.id, type, quantity);
    }),
  };
}
