import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { BackupSecret } from '../domain/backup-settings.ts';
import type { SshKeyPair } from '../system/ssh-key-pair.ts';
import type { Seal } from './seal.ts';

/** What it opens: registries of images, or hosts of git repositories. */
type Kind = 'registry' | 'git';
/** Whose they are: one app's, or everybody's. */
type Owner = App | 'global';

/** Not a scope of logins: Wherry's own key for repositories by ssh. */
const deployKey = ['git', 'deploy-key', 'ed25519'] as const;
/** Nor is this one: what backups are encrypted under, and how they get to their place. */
const backup = ['registry', 'backup'] as const;

/** Names and passwords for other hosts, encrypted at rest. An app's own go before everybody's. */
export function credentialsStore(db: Database, seal: Seal) {
  const one = db.prepare<[Kind, string, string], { user: string; sealed: Buffer }>(
    'SELECT user, sealed FROM credentials WHERE kind = ? AND scope = ? AND host = ?',
  );
  const all = db.prepare<[Kind, string], { host: string; user: string }>(
    'SELECT host, user FROM credentials WHERE kind = ? AND scope = ? ORDER BY host',
  );
  const put = db.prepare<[Kind, string, string, string, Buffer]>(
    'INSERT OR REPLACE INTO credentials (kind, scope, host, user, sealed) VALUES (?, ?, ?, ?, ?)',
  );
  const drop = db.prepare<[Kind, string, string]>(
    'DELETE FROM credentials WHERE kind = ? AND scope = ? AND host = ?',
  );
  const clear = db.prepare<[string]>('DELETE FROM credentials WHERE scope = ?');
  const find = (kind: Kind, owner: Owner, host: string) => {
    const row = one.get(kind, scopeOf(owner), host);
    return (
      row && { user: row.user, password: seal.open(row.sealed, ['credentials', kind, scopeOf(owner), host]) }
    );
  };
  return {
    /** The app's own for the host, else everybody's. */
    find: (kind: Kind, app: App | undefined, host: string): { user: string; password: string } | undefined =>
      (app && find(kind, app, host)) ?? find(kind, 'global', host),
    /** The one that was put for this owner. */
    own: find,
    put(kind: Kind, owner: Owner, login: { host: string; user: string; password: string }): void {
      const { host, user, password } = login;
      const scope = scopeOf(owner);
      put.run(kind, scope, host, user, seal.seal(password, ['credentials', kind, scope, host]));
    },
    /** Whether there were any. */
    remove: (kind: Kind, owner: Owner, host: string): boolean =>
      drop.run(kind, scopeOf(owner), host).changes > 0,
    /** Without passwords. */
    list: (kind: Kind, owner: Owner): readonly { host: string; user: string }[] =>
      all.all(kind, scopeOf(owner)),
    deployKey(): SshKeyPair | undefined {
      const row = one.get(...deployKey);
      return row && { publicKey: row.user, privateKey: seal.open(row.sealed, ['credentials', ...deployKey]) };
    },
    putDeployKey({ publicKey, privateKey }: SshKeyPair): void {
      put.run(...deployKey, publicKey, seal.seal(privateKey, ['credentials', ...deployKey]));
    },
    backup(name: BackupSecret): string | undefined {
      const row = one.get(...backup, name);
      return row && seal.open(row.sealed, ['credentials', ...backup, name]);
    },
    /** Without a value it is removed. */
    putBackup(name: BackupSecret, value: string | undefined): void {
      if (value === undefined) drop.run(...backup, name);
      else put.run(...backup, name, 'wherry', seal.seal(value, ['credentials', ...backup, name]));
    },
    clear: (app: App): void => void clear.run(scopeOf(app)),
  };
}

function scopeOf(owner: Owner): string {
  return owner === 'global' ? owner : `app:${owner.id}`;
}
