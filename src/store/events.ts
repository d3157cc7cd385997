import type { Database } from 'better-sqlite3';
import type { AppName } from '../domain/names.ts';
import { plainLine } from '../domain/plain-text.ts';
import { unlessDiskRefuses } from '../system/disk-trouble.ts';

/** What happened, for people: deploys, scales, limits, kills, restarts. */
export type PlatformEvent = {
  readonly id: number;
  readonly at: Date;
  readonly app: AppName | null;
  /** `deploy`, `deploy-failed`, `rollback`, `scale`, `config`, `oom`, `crash`, `limit` ... */
  readonly kind: string;
  readonly message: string;
  readonly actor: string | null;
};

type Happening = {
  readonly at: Date;
  readonly app?: AppName | undefined;
  readonly kind: string;
  readonly message: string;
  readonly actor?: string | undefined;
};

type Row = {
  id: number;
  at: number;
  app: AppName | null;
  kind: string;
  message: string;
  actor: string | null;
};

const kept = 10_000;

/** @param lost told of an event that the disk did not take: what it tells of has happened all the same */
export function eventsStore(db: Database, lost: (error: unknown) => void) {
  const insert = db.prepare<[number, string | null, string, string, string | null]>(
    'INSERT INTO events (at, app, kind, message, actor) VALUES (?, ?, ?, ?, ?)',
  );
  const trim = db.prepare<[number]>('DELETE FROM events WHERE id <= ?');
  const ofApp = db.prepare<[string, number], Row>(
    'SELECT * FROM events WHERE app = ? ORDER BY id DESC LIMIT ?',
  );
  const all = db.prepare<[number], Row>('SELECT * FROM events ORDER BY id DESC LIMIT ?');
  const later = db.prepare<[number], Row>('SELECT * FROM events WHERE id > ? ORDER BY id');
  const kinds = db.prepare<[], { kind: string; count: number; last: number }>(
    'SELECT kind, count(*) AS count, max(at) AS last FROM events GROUP BY kind ORDER BY kind',
  );
  const rename = db.prepare<[string, string]>('UPDATE events SET app = ? WHERE app = ?');
  const keep = ({ at, app, kind, message, actor }: Happening): void => {
    const { lastInsertRowid } = insert.run(at.getTime(), app ?? null, kind, message, actor ?? null);
    trim.run(Number(lastInsertRowid) - kept);
  };
  const watchers: ((event: Happening) => void)[] = [];
  return {
    /** Called after each event that is added, by this process. Must not throw. */
    watch: (watcher: (event: Happening) => void): void => void watchers.push(watcher),
    /** What happened to an app stays with it when it gets another name. */
    rename: (from: AppName, to: AppName): void => void rename.run(to, from),
    add(happening: Happening): void {
      // Some tell what an app or a client said.
      const event = { ...happening, message: plainLine(happening.message) };
      // As a part of something greater it is kept with that, or not at all.
      if (db.inTransaction) keep(event);
      else unlessDiskRefuses(() => keep(event), lost);
      for (const watcher of watchers) watcher(event);
    },
    /** Oldest first, at most `limit` of the newest. */
    list(options: { app?: AppName | undefined; limit: number }): PlatformEvent[] {
      const rows = options.app ? ofApp.all(options.app, options.limit) : all.all(options.limit);
      return rows.reverse().map(toEvent);
    },
    /** What came after one, of all apps. */
    after: (id: number): PlatformEvent[] => later.all(id).map(toEvent),
    /** How many there are of each kind, and when the last was. */
    kinds: (): { kind: string; count: number; last: Date }[] =>
      kinds.all().map(row => ({ ...row, last: new Date(row.last) })),
  };
}

function toEvent(row: Row): PlatformEvent {
  return { ...row, at: new Date(row.at) };
}
