import type { Database } from 'better-sqlite3';
import type { AppName } from '../domain/names.ts';

/** A write that somebody asked for. Arguments are not kept: they may be secrets. */
export type AuditEntry = {
  readonly at: Date;
  readonly user: string;
  readonly via: string;
  /** Fingerprint of their key, or name of their token. */
  readonly credential: string | null;
  readonly address: string | null;
  readonly command: string;
  /** As it is named now, or was when it was destroyed. */
  readonly app: string | null;
  /** `ok`, or the code of the error. */
  readonly result: string;
};

type Row = Omit<AuditEntry, 'at'> & { id: number; at: number };

const kept = 20_000;

/** Who asked for what, the newest 20,000. */
export function auditStore(db: Database) {
  const insert = db.prepare(
    'INSERT INTO audit (at, user, via, credential, address, command, app, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const trim = db.prepare<[number]>('DELETE FROM audit WHERE id <= ?');
  const all = db.prepare<[], Row>('SELECT * FROM audit ORDER BY id');
  const ofApp = db.prepare<[string], Row>('SELECT * FROM audit WHERE app = ? ORDER BY id');
  const rename = db.prepare<[string, string]>('UPDATE audit SET app = ? WHERE app = ?');
  return {
    /** What was done to an app stays with it when it gets another name. */
    rename: (from: AppName, to: AppName): void => void rename.run(to, from),
    add({ at, user, via, credential, address, command, app, result }: AuditEntry): void {
      const values = [at.getTime(), user, via, credential, address, command, app, result];
      trim.run(Number(insert.run(...values).lastInsertRowid) - kept);
    },
    /** Oldest first. */
    list: (app?: string): AuditEntry[] =>
      (app === undefined ? all.all() : ofApp.all(app)).map(({ id: _, at, ...row }) => ({
        at: new Date(at),
        ...row,
      })),
  };
}
