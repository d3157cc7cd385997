import type { Database } from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';

export type SshKey = {
  /** The user's whose it is. */
  readonly name: string;
  /** `SHA256:` and base64 without padding, as ssh-keygen shows it. */
  readonly fingerprint: string;
  /** `type base64`, without comment. */
  readonly publicKey: string;
  readonly createdAt: Date;
};

type Row = { user: string; fingerprint: string; public_key: string; created_at: number };

export function keysStore(db: Database) {
  const all = db.prepare<[], Row>('SELECT * FROM keys ORDER BY user, created_at, fingerprint');
  const byFingerprint = db.prepare<[string], Row>('SELECT * FROM keys WHERE fingerprint = ?');
  const byUser = db.prepare<[string], Row>(
    'SELECT * FROM keys WHERE user = ? ORDER BY created_at, fingerprint',
  );
  const insert = db.prepare<[string, string, string, number]>(
    'INSERT INTO keys (user, fingerprint, public_key, created_at) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare<[string]>('DELETE FROM keys WHERE fingerprint = ?');
  return {
    list: (): SshKey[] => all.all().map(toKey),
    byFingerprint(fingerprint: string): SshKey | undefined {
      const row = byFingerprint.get(fingerprint);
      return row && toKey(row);
    },
    of: (user: string): SshKey[] => byUser.all(user).map(toKey),
    /** Of a user that is there. @throws conflict when the key is there already */
    add(key: SshKey): void {
      const twin = byFingerprint.get(key.fingerprint);
      if (twin) throw new WherryError('conflict', `This SSH key is registered already, as ${twin.user}.`);
      insert.run(key.name, key.fingerprint, key.publicKey, key.createdAt.getTime());
    },
    /** Whether it was there. */
    remove: (fingerprint: string): boolean => remove.run(fingerprint).changes > 0,
  };
}

function toKey(row: Row): SshKey {
  return {
    name: row.user,
    fingerprint: row.fingerprint,
    publicKey: row.public_key,
    createdAt: new Date(row.created_at),
  };
}
