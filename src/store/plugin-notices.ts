import type { Database } from 'better-sqlite3';

type Notice = {
  readonly id: number;
  readonly listener: string;
  readonly hook: string;
  readonly event: unknown;
};
type Row = Omit<Notice, 'event'> & { event: string };

/** Starts of the daemon that one may wait through: whatever it is that ends the daemon is not tried for ever. */
const mostStarts = 5;

/** What plugins are to be told, until they were: it outlives the daemon. Events are plain JSON without secrets. */
export function pluginNoticesStore(db: Database) {
  const insert = db.prepare<[string, string, string]>(
    'INSERT INTO plugin_notices (listener, hook, event) VALUES (?, ?, ?)',
  );
  const remove = db.prepare<[number]>('DELETE FROM plugin_notices WHERE id = ?');
  const drop = db.prepare<[number]>('DELETE FROM plugin_notices WHERE starts >= ?');
  const begin = db.prepare('UPDATE plugin_notices SET starts = starts + 1');
  const all = db.prepare<[], Row>('SELECT id, listener, hook, event FROM plugin_notices ORDER BY id');
  return {
    add: (listener: string, hook: string, event: unknown): number =>
      Number(insert.run(listener, hook, JSON.stringify(event)).lastInsertRowid),
    done: (id: number): void => void remove.run(id),
    /** Those of before, oldest first; to be asked for once a start. */
    left: db.transaction((): Notice[] => {
      drop.run(mostStarts);
      begin.run();
      return all.all().map(row => ({ ...row, event: JSON.parse(row.event) as unknown }));
    }),
  };
}
