import type { Database } from 'better-sqlite3';
import type { Seal } from './seal.ts';

/** A request that had a key: its content's name, and what came of it. */
type Kept = {
  readonly request: string;
  readonly state: 'begun' | 'too-large' | { readonly outcome: string };
};
type Place = { readonly actor: string; readonly key: string };

/** Answers to writes over HTTP, so that one that is sent twice is done once. Sealed: an answer may hold a secret. */
export function answersStore(db: Database, seal: Seal) {
  const get = db.prepare<[string, string], { sealed: Buffer }>(
    'SELECT sealed FROM api_answers WHERE actor = ? AND key = ?',
  );
  const put = db.prepare(
    `INSERT INTO api_answers (actor, key, at, sealed) VALUES (?, ?, ?, ?)
     ON CONFLICT (actor, key) DO UPDATE SET sealed = excluded.sealed`,
  );
  const remove = db.prepare('DELETE FROM api_answers WHERE actor = ? AND key = ?');
  const old = db.prepare('DELETE FROM api_answers WHERE at <= ?');
  const many = db.prepare(
    `DELETE FROM api_answers WHERE actor = ? AND key IN
     (SELECT key FROM api_answers WHERE actor = ? ORDER BY at DESC LIMIT -1 OFFSET ?)`,
  );
  return {
    find({ actor, key }: Place): Kept | undefined {
      const row = get.get(actor, key);
      return row && (JSON.parse(seal.open(row.sealed, ['api_answers', actor, key])) as Kept);
    },
    /** The time of one that is there stays. */
    put({ actor, key }: Place, kept: Kept, at: Date): void {
      put.run(actor, key, at.getTime(), seal.seal(JSON.stringify(kept), ['api_answers', actor, key]));
    },
    remove({ actor, key }: Place): void {
      remove.run(actor, key);
    },
    /** Drops what is older, and of an actor all but the newest. */
    prune(actor: string, { before, most }: { before: Date; most: number }): void {
      old.run(before.getTime());
      many.run(actor, actor, most);
    },
  };
}
