import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import { defaultLimits, type Limits, type Quota } from '../domain/quota.ts';

/** What was asked for one process type, or for all of an app (`_default_`); absent keys fall through. */
export type LimitRow = {
  readonly type: string;
  readonly memory: number | null;
  readonly cpus: number | null;
  readonly disk: number | null;
};

export const everyType = '_default_';

export function limitsStore(db: Database) {
  const rows = db.prepare<[number], LimitRow>(
    'SELECT type, memory, cpus, disk FROM limits WHERE app_id = ? ORDER BY type',
  );
  const put = db.prepare<[number, string, number | null, number | null, number | null]>(
    'INSERT OR REPLACE INTO limits (app_id, type, memory, cpus, disk) VALUES (?, ?, ?, ?, ?)',
  );
  const remove = db.prepare<[number, string]>('DELETE FROM limits WHERE app_id = ? AND type = ?');
  const quota = db.prepare<[number], Quota>('SELECT memory, pids FROM quotas WHERE app_id = ?');
  const putQuota = db.prepare<[number, number | null, number | null]>(
    'INSERT OR REPLACE INTO quotas (app_id, memory, pids) VALUES (?, ?, ?)',
  );
  return {
    rows: (app: App): LimitRow[] => rows.all(app.id),
    put: (app: App, row: LimitRow): void => void put.run(app.id, row.type, row.memory, row.cpus, row.disk),
    clear: (app: App, type: string): void => void remove.run(app.id, type),
    /** The limits an instance of `type` gets: its own row, then the app's, then the built-in default, key by key. */
    resolve: (app: App, type: string): Limits => resolveLimits(rows.all(app.id), type),
    quota: (app: App): Quota => quota.get(app.id) ?? { memory: null, pids: null },
    setQuota: (app: App, value: Quota): void => void putQuota.run(app.id, value.memory, value.pids),
  };
}

/** @param fallback where no row says anything */
export function resolveLimits(
  rows: readonly LimitRow[],
  type: string,
  fallback: { readonly memory?: number; readonly cpus?: number; readonly disk?: number } = {},
): Limits {
  const own = rows.find(row => row.type === type);
  const common = rows.find(row => row.type === everyType);
  const cpus = own?.cpus ?? common?.cpus ?? fallback.cpus;
  const disk = own?.disk ?? common?.disk ?? fallback.disk;
  return {
    memory: own?.memory ?? common?.memory ?? fallback.memory ?? defaultLimits.memory,
    pids: defaultLimits.pids,
    ...(cpus == null ? {} : { cpus }),
    ...(disk == null ? {} : { disk }),
  };
}
