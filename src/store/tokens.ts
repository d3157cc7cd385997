import { createHash } from 'node:crypto';
import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { AppName } from '../domain/names.ts';
import type { Role, Scope } from '../domain/people.ts';

/** What is known of a token; itself it is kept nowhere. */
export type Token = {
  readonly user: string;
  readonly name: string;
  readonly scope: Scope;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly usedAt: Date | null;
};

type Row = {
  id: number;
  user: string;
  name: string;
  role: Role | null;
  of_apps: number;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
};

/** Tokens of users, by the hash of what was shown once: random enough that nothing is to be guessed from it. */
export function tokensStore(db: Database) {
  const all = db.prepare<[], Row>('SELECT * FROM tokens ORDER BY user, name');
  const ofUser = db.prepare<[string], Row>('SELECT * FROM tokens WHERE user = ? ORDER BY name');
  const byHash = db.prepare<[string], Row>('SELECT * FROM tokens WHERE hash = ?');
  const insert = db.prepare(
    'INSERT INTO tokens (user, name, hash, role, of_apps, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const addApp = db.prepare<[number | bigint, number]>(
    'INSERT INTO token_apps (token, app_id) VALUES (?, ?)',
  );
  const apps = db.prepare<[number], { name: AppName }>(
    'SELECT name FROM token_apps JOIN apps ON apps.id = app_id WHERE token = ? ORDER BY name',
  );
  const remove = db.prepare<[string, string]>('DELETE FROM tokens WHERE user = ? AND name = ?');
  const used = db.prepare<[number, string]>('UPDATE tokens SET used_at = ? WHERE hash = ?');

  const toToken = (row: Row): Token => ({
    user: row.user,
    name: row.name,
    // Of an app that was destroyed nothing is left: the token is for none then, never for all.
    scope: {
      role: row.role ?? undefined,
      apps: row.of_apps === 1 ? apps.all(row.id).map(({ name }) => name) : undefined,
    },
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at),
    usedAt: row.used_at === null ? null : new Date(row.used_at),
  });

  return {
    list: (): Token[] => all.all().map(toToken),
    of: (user: string): Token[] => ofUser.all(user).map(toToken),
    /** By the token itself. */
    find(secret: string): Token | undefined {
      const row = byHash.get(hashOf(secret));
      return row && toToken(row);
    },
    /** Of a user that is there, under a name that the user has no token of. */
    add(
      secret: string,
      token: Omit<Token, 'scope' | 'usedAt'> & { role: Role | undefined; apps: readonly App[] | undefined },
    ) {
      const { user, name, role, createdAt, expiresAt } = token;
      const values = [user, name, hashOf(secret), role ?? null, token.apps ? 1 : 0];
      const { lastInsertRowid } = insert.run(...values, createdAt.getTime(), expiresAt?.getTime() ?? null);
      for (const { id } of token.apps ?? []) addApp.run(lastInsertRowid, id);
    },
    /** Whether it was there. */
    remove: (user: string, name: string): boolean => remove.run(user, name).changes > 0,
    noteUse: (secret: string, at: Date): void => void used.run(at.getTime(), hashOf(secret)),
  };
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
