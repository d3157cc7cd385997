import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ImageId } from '../domain/image.ts';
import type { Release, ReleaseStatus } from '../domain/release.ts';
import type { Seal } from './seal.ts';

type Row = {
  app_id: number;
  version: number;
  image: ImageId;
  status: ReleaseStatus;
  description: string;
  actor: string;
  commit_id: string | null;
  source_image: string | null;
  created_at: number;
};

export type NewRelease = {
  readonly image: ImageId;
  readonly config: Readonly<Record<string, string>>;
  readonly description: string;
  readonly actor: string;
  readonly commit: string | null;
  readonly sourceImage?: string | null;
  /** Of the config, beside those that are write-only now. */
  readonly secretKeys?: readonly string[];
  readonly at: Date;
};

const columns = 'app_id, version, image, status, description, actor, commit_id, source_image, created_at';

export function releasesStore(db: Database, seal: Seal) {
  const byVersion = db.prepare<[number, number], Row>(
    `SELECT ${columns} FROM releases WHERE app_id = ? AND version = ?`,
  );
  const live = db.prepare<[number], Row>(
    `SELECT ${columns} FROM releases WHERE app_id = ? AND status = 'live'`,
  );
  const ofApp = db.prepare<[number], Row>(
    `SELECT ${columns} FROM releases WHERE app_id = ? ORDER BY version DESC`,
  );
  const config = db.prepare<[number, number], { config: Buffer }>(
    'SELECT config FROM releases WHERE app_id = ? AND version = ?',
  );
  const next = db.prepare<[number], { version: number }>(
    'SELECT coalesce(max(version), 0) + 1 AS version FROM releases WHERE app_id = ?',
  );
  const insert = db.prepare(
    `INSERT INTO releases (${columns}, config, secret_keys)
     VALUES (@appId, @version, @image, 'pending', @description, @actor, @commit, @sourceImage, @at, @config,
       (SELECT json_group_array(DISTINCT key) FROM (SELECT key FROM config WHERE app_id = @appId AND secret = 1
        UNION SELECT key FROM global_config WHERE secret = 1 UNION SELECT value FROM json_each(@secretKeys))))`,
  );
  const secretKeys = db.prepare<[number, number], { keys: string }>(
    'SELECT secret_keys AS keys FROM releases WHERE app_id = ? AND version = ?',
  );
  const status = db.prepare<[ReleaseStatus, number, number]>(
    'UPDATE releases SET status = ? WHERE app_id = ? AND version = ?',
  );
  const undo = db.prepare<[number, number]>(
    `UPDATE releases SET status = 'failed' WHERE app_id = ? AND version = ? AND status = 'pending'`,
  );
  const retire = db.prepare<[number]>(
    `UPDATE releases SET status = 'superseded' WHERE app_id = ? AND status = 'live'`,
  );
  const abandon = db.prepare(`UPDATE releases SET status = 'failed' WHERE status = 'pending'`);
  const leave = db.prepare<[number]>(
    `UPDATE releases SET status = 'failed' WHERE app_id = ? AND status = 'pending'`,
  );
  const prune = db.prepare<[{ appId: number; keep: number; also: string }]>(
    `DELETE FROM releases WHERE app_id = @appId AND status IN ('superseded', 'failed')
       AND version NOT IN (SELECT value FROM json_each(@also)) AND version NOT IN
       (SELECT version FROM releases WHERE app_id = @appId AND status IN ('superseded', 'live') ORDER BY version DESC LIMIT @keep)`,
  );

  const get = (app: App, version: number): Release => {
    const row = byVersion.get(app.id, version);
    if (row) return toRelease(row);
    // Versions are counted up and only old releases are deleted, so a lower one did exist.
    const newest = ofApp.get(app.id)?.version ?? 0;
    throw new WherryError(
      'not-found',
      version < newest
        ? `Release v${version} of app ${app.name} is not kept any more. Push its commit again, or choose one of "releases ${app.name}".`
        : `Release v${version} of app ${app.name} does not exist. See "releases ${app.name}".`,
    );
  };

  return {
    /** @throws not-found */
    get,
    live(app: App): Release | undefined {
      const row = live.get(app.id);
      return row && toRelease(row);
    },
    /** Newest first. */
    list: (app: App): Release[] => ofApp.all(app.id).map(toRelease),
    /** The config as it was when the release was made. */
    config: (release: Release): Record<string, string> => {
      const row = config.get(release.appId, release.version);
      return row
        ? (JSON.parse(seal.open(row.config, ['releases', release.appId, release.version])) as Record<
            string,
            string
          >)
        : {};
    },
    /** Which of that were write-only. */
    secretKeys: (release: Release): readonly string[] =>
      JSON.parse(secretKeys.get(release.appId, release.version)?.keys ?? '[]') as string[],
    create: db.transaction((app: App, made: NewRelease): Release => {
      // One at a time is deployed: of another the disk has not taken how it ended.
      leave.run(app.id);
      const version = next.get(app.id)?.version ?? 1;
      insert.run({
        appId: app.id,
        version,
        image: made.image,
        description: made.description,
        actor: made.actor,
        commit: made.commit,
        sourceImage: made.sourceImage ?? null,
        at: made.at.getTime(),
        secretKeys: JSON.stringify(made.secretKeys ?? []),
        config: seal.seal(JSON.stringify(made.config), ['releases', app.id, version]),
      });
      return get(app, version);
    }),
    /** This release serves now; the one before is superseded. */
    promote: db.transaction((release: Release): void => {
      retire.run(release.appId);
      status.run('live', release.appId, release.version);
    }),
    /** A release that went live stays what it is. */
    fail: (release: Release): void => void undo.run(release.appId, release.version),
    /** After a crash: a release that was being deployed has failed. */
    abandonPending: (): void => void abandon.run(),
    /** Keeps the newest `keep` that worked, the live one, and the versions in `also`. */
    prune: (app: App, keep: number, also: readonly number[] = []): void =>
      void prune.run({ appId: app.id, keep, also: JSON.stringify(also) }),
  };
}

function toRelease(row: Row): Release {
  return {
    appId: row.app_id,
    version: row.version,
    image: row.image,
    status: row.status,
    description: row.description,
    actor: row.actor,
    commit: row.commit_id,
    sourceImage: row.source_image,
    createdAt: new Date(row.created_at),
  };
}
