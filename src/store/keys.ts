import type { Database } from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';

export type SshKey = {
  readonly name: string;
  /** `SHA256:` and base64 without padding, as ssh-keygen shows it. */
  readonly fingerprint: string;
  /** `type base64`, without comment. */
  readonly publicKey: string;
  readonly createdAt: Date;
};

type Row = { name: string; fingerprint: string; public_key: string; created_at: number };

export function keysStore(db: Database) {
  const all = db.prepare<[], Row>('SELECT * FROM keys ORDER BY name');
  const byFingerprint = db.prepare<[string], Row>('SELECT * FROM keys WHERE fingerprint = ?');
  const byName = db.prepare<[string], Row>('SELECT * FROM keys WHERE name = ?');
  const insert = db.prepare<[string, string, string, number]>(
    'INSERT INTO keys (name, fingerprint, public_key, created_at) VALUES (?, ?, ?, ?)',
  );
  const remove = db.prepare<[string]>('DELETE FROM keys WHERE fingerprint = ?');
  const first = (row: Row | undefined) => row && toKey(row);
  return {
    list: (): SshKey[] => all.all().map(toKey),
    byFingerprint: (fingerprint: string): SshKey | undefined => first(byFingerprint.get(fingerprint)),
    byName: (name: string): SshKey | undefined => first(byName.get(name)),
    /** @throws conflict when name or key is there already */
    add(key: SshKey): void {
      if (byName.get(key.name))
        throw new WherryError(
          'conflict',
          `An SSH key named ${key.name} exists already. Remove it first or choose another name.`,
        );
      const twin = byFingerprint.get(key.fingerprint);
      if (twin) throw new WherryError('conflict', `This SSH key is registered already, as ${twin.name}.`);
      insert.run(key.name, key.fingerprint, key.publicKey, key.createdAt.getTime());
    },
    /** Whether it was there. */
    remove: (fingerprint: string): boolean => remove.run(fingerprint).changes > 0,
  };
}

function toKey(row: Row): SshKey {
  return {
    name: row.name,
    fingerprint: row.fingerprint,
    publicKey: row.public_key,
    createdAt: new Date(row.created_at),
  };
}
