import type { Database } from 'better-sqlite3';

/** Somebody who was not let in, or asked for what nobody understood. */
export type Refusal = {
  /** The last time. */
  readonly at: Date;
  /** Empty for strangers. */
  readonly user: string;
  readonly via: string;
  /** Fingerprint of a key, or name of a token; of the first time. */
  readonly credential: string | null;
  /** An IPv4 address, the /64 of an IPv6 address, or empty for many. */
  readonly address: string;
  readonly command: string;
  readonly result: string;
  /** How often, at least. */
  readonly times: number;
};

type Row = Omit<Refusal, 'at'> & { id: number; at: number };

const kept = 2000;
/** Milliseconds within which the same is one row. */
export const sameRefusal = 3_600_000;

/** The newest 2,000: they never push out what was done. */
export function refusalsStore(db: Database) {
  const same = db.prepare<[string, string, string, string, string, number], { id: number }>(
    `SELECT id FROM refusals WHERE address = ? AND user = ? AND via = ? AND command = ? AND result = ? AND at > ?
     ORDER BY at DESC LIMIT 1`,
  );
  const again = db.prepare<[number, number, number]>(
    'UPDATE refusals SET at = ?, times = times + ? WHERE id = ?',
  );
  const insert = db.prepare(
    'INSERT INTO refusals (at, user, via, credential, address, command, result, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const trim = db.prepare<[number]>('DELETE FROM refusals WHERE id <= ?');
  const all = db.prepare<[], Row>('SELECT * FROM refusals ORDER BY at, id');
  return {
    add({ at, user, via, credential, address, command, result, times }: Refusal): void {
      const now = at.getTime();
      const found = same.get(address, user, via, command, result, now - sameRefusal);
      if (found) again.run(now, times, found.id);
      else {
        const values = [now, user, via, credential, address, command, result, times];
        trim.run(Number(insert.run(...values).lastInsertRowid) - kept);
      }
    },
    /** Oldest first. */
    list: (): Refusal[] => all.all().map(({ id: _, at, ...row }) => ({ at: new Date(at), ...row })),
  };
}
