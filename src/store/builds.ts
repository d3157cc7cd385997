import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';

/** `abandoned` is what the daemon did not live to see the end of. */
export type BuildStatus = 'running' | 'succeeded' | 'failed' | 'canceled' | 'abandoned';

/** `build` makes an image and rolls it out, `deploy` rolls out one that exists (config, rollback). */
export type BuildKind = 'build' | 'deploy';

export type Build = {
  readonly appId: number;
  /** 1, 2, 3 ... per app. */
  readonly number: number;
  readonly kind: BuildKind;
  readonly status: BuildStatus;
  readonly actor: string;
  readonly commit: string | null;
  /** Version of the release that it made live. */
  readonly release: number | null;
  /** Why it did not succeed, as the person was told. */
  readonly reason: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
};

type Row = {
  app_id: number;
  number: number;
  kind: BuildKind;
  status: BuildStatus;
  actor: string;
  commit_id: string | null;
  release: number | null;
  reason: string | null;
  started_at: number;
  ended_at: number | null;
};

type Started = {
  readonly kind: BuildKind;
  readonly actor: string;
  readonly commit: string | null;
  readonly at: Date;
};

type Ended = {
  readonly status: BuildStatus;
  readonly release?: number;
  readonly reason?: string;
  readonly at: Date;
};

export function buildsStore(db: Database) {
  const insert = db.prepare<[Record<string, unknown>], { number: number }>(
    `INSERT INTO builds (app_id, number, kind, status, actor, commit_id, started_at)
     VALUES (@appId, (SELECT coalesce(max(number), 0) + 1 FROM builds WHERE app_id = @appId),
       @kind, 'running', @actor, @commit, @at)
     RETURNING number`,
  );
  const end = db.prepare<[Record<string, unknown>]>(
    `UPDATE builds SET status = @status, release = @release, reason = @reason, ended_at = @at
     WHERE app_id = @appId AND number = @number AND status = 'running'`,
  );
  const byNumber = db.prepare<[number, number], Row>('SELECT * FROM builds WHERE app_id = ? AND number = ?');
  const ofApp = db.prepare<[number], Row>('SELECT * FROM builds WHERE app_id = ? ORDER BY number DESC');
  const abandon = db.prepare<[number]>(
    `UPDATE builds SET status = 'abandoned', reason = 'Wherry was stopped while it ran.', ended_at = ?
     WHERE status = 'running'`,
  );
  const prune = db.prepare<[number, number, number]>(
    `DELETE FROM builds WHERE app_id = ? AND status <> 'running' AND number NOT IN
       (SELECT number FROM builds WHERE app_id = ? ORDER BY number DESC LIMIT ?)`,
  );

  const get = (app: App, number: number): Build => {
    const row = byNumber.get(app.id, number);
    if (row) return toBuild(row);
    throw new WherryError(
      'not-found',
      `Build ${number} of app ${app.name} does not exist. See "builds:list ${app.name}".`,
    );
  };

  return {
    /** @throws not-found */
    get,
    /** Newest first. */
    list: (app: App): Build[] => ofApp.all(app.id).map(toBuild),
    start: db.transaction((app: App, { at, ...started }: Started): Build => {
      const row = insert.get({ appId: app.id, ...started, at: at.getTime() });
      return get(app, row?.number ?? 0);
    }),
    /** Only once: what has ended stays as it ended. */
    end({ appId, number }: Build, { status, release, reason, at }: Ended): void {
      end.run({
        appId,
        number,
        status,
        release: release ?? null,
        reason: reason ?? null,
        at: at.getTime(),
      });
    },
    /** After a crash: nothing runs any more. */
    abandonRunning: (at: Date): void => void abandon.run(at.getTime()),
    /** Keeps the newest `keep` and what runs. Returns how many went. */
    prune: (app: App, keep: number): number => prune.run(app.id, app.id, keep).changes,
  };
}

function toBuild(row: Row): Build {
  return {
    appId: row.app_id,
    number: row.number,
    kind: row.kind,
    status: row.status,
    actor: row.actor,
    commit: row.commit_id,
    release: row.release,
    reason: row.reason,
    startedAt: new Date(row.started_at),
    endedAt: row.ended_at === null ? null : new Date(row.ended_at),
  };
}
