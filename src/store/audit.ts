import type { Database } from 'better-sqlite3';
import type { AppName } from '../domain/names.ts';

/** A write that somebody asked for. */
export type AuditEntry = {
  readonly at: Date;
  readonly user: string;
  readonly via: string;
  /** Fingerprint of their key, or name of their token. */
  readonly credential: string | null;
  readonly address: string | null;
  readonly command: string;
  /** As it is named now, or was when it was destroyed; of a rename the old name. */
  readonly app: string | null;
  /** The other app that it is about: the one that was made, or the name that it got. */
  readonly other: string | null;
  /** Its words, without what may be secret. */
  readonly args: string;
  /** `ok`, or the code of the error. */
  readonly result: string;
};

type Row = Omit<AuditEntry, 'at'> & { id: number; at: number };

const kept = 20_000;

/** Who asked for what, the newest 20,000. */
export function auditStore(db: Database) {
  const insert = db.prepare(
    'INSERT INTO audit (at, user, via, credential, address, command, app, other, args, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const trim = db.prepare<[number]>('DELETE FROM audit WHERE id <= ?');
  const all = db.prepare<[], Row>('SELECT * FROM audit ORDER BY id');
  const ofApp = db.prepare<[string, string], Row>(
    'SELECT * FROM audit WHERE app = ? OR other = ? ORDER BY id',
  );
  const rename = db.prepare<[string, string]>('UPDATE audit SET app = ? WHERE app = ?');
  const renameOther = db.prepare<[string, string]>('UPDATE audit SET other = ? WHERE other = ?');
  return {
    /** What was done to an app stays with it when it gets another name. */
    rename(from: AppName, to: AppName): void {
      rename.run(to, from);
      renameOther.run(to, from);
    },
    add({ at, user, via, credential, address, command, app, other, args, result }: AuditEntry): void {
      const values = [at.getTime(), user, via, credential, address, command, app, other, args, result];
      trim.run(Number(insert.run(...values).lastInsertRowid) - kept);
    },
    /** Oldest first. */
    list: (app?: string): AuditEntry[] =>
      (app === undefined ? all.all() : ofApp.all(app, app)).map(({ id: _, at, ...row }) => ({
        at: new Date(at),
        ...row,
      })),
  };
}
