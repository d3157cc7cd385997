import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { Seal } from './seal.ts';

/** At a certificate authority. */
export type Account = { readonly server: string; readonly email: string };

/** How it stands with the certificate of one host. */
export type AcmeHost = {
  readonly host: string;
  /** What was issued last, by whom and for whom; the certificate may have been removed since. */
  readonly issued: (Account & { readonly certificate: string }) | undefined;
  /** In a row. */
  readonly failures: number;
  /** Not tried before. */
  readonly nextAt: Date | undefined;
  /** Why the last try failed, as a sentence. */
  readonly error: string | undefined;
};

type Row = {
  host: string;
  certificate: string | null;
  server: string | null;
  email: string | null;
  failures: number;
  next_at: number | null;
  error: string | null;
};

/** Accounts at certificate authorities, and what was asked of them for each host; keys and open orders are encrypted at rest. */
export function acmeStore(db: Database, seal: Seal) {
  const key = db.prepare<[string, string], { key: Buffer }>(
    'SELECT key FROM acme_accounts WHERE server = ? AND email = ?',
  );
  const putKey = db.prepare('INSERT INTO acme_accounts (server, email, key) VALUES (?, ?, ?)');
  const columns = 'host, certificate, server, email, failures, next_at, error';
  const list = db.prepare<[number], Row>(`SELECT ${columns} FROM acme_hosts WHERE app_id = ? ORDER BY host`);
  const one = db.prepare<[number, string], Row>(
    `SELECT ${columns} FROM acme_hosts WHERE app_id = ? AND host = ?`,
  );
  const put = db.prepare(
    `INSERT INTO acme_hosts (app_id, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (app_id, host) DO UPDATE SET certificate = excluded.certificate, server = excluded.server,
       email = excluded.email, failures = excluded.failures, next_at = excluded.next_at, error = excluded.error`,
  );
  const order = db.prepare<[number, string], { pending: Buffer | null }>(
    'SELECT pending FROM acme_hosts WHERE app_id = ? AND host = ?',
  );
  const putOrder = db.prepare(
    `INSERT INTO acme_hosts (app_id, host, failures, pending) VALUES (?, ?, 0, ?)
     ON CONFLICT (app_id, host) DO UPDATE SET pending = excluded.pending`,
  );
  const remove = db.prepare<[number, string]>('DELETE FROM acme_hosts WHERE app_id = ? AND host = ?');

  return {
    /** The key of the account, made by `fresh` and kept where there was none. */
    accountKey({ server, email }: Account, fresh: () => string): string {
      const row = key.get(server, email);
      if (row) return seal.open(row.key, ['acme_accounts', server, email]);
      const made = fresh();
      putKey.run(server, email, seal.seal(made, ['acme_accounts', server, email]));
      return made;
    },
    list: (app: App): AcmeHost[] => list.all(app.id).map(toHost),
    find(app: App, host: string): AcmeHost | undefined {
      const row = one.get(app.id, host);
      return row && toHost(row);
    },
    /** An order that was begun stays. */
    put(app: App, { host, issued, failures, nextAt, error }: AcmeHost): void {
      const from = [issued?.certificate ?? null, issued?.server ?? null, issued?.email ?? null];
      put.run(app.id, host, ...from, failures, nextAt?.getTime() ?? null, error ?? null);
    },
    /** The order that was begun for a host, as it was kept. */
    order(app: App, host: string): string | undefined {
      const sealed = order.get(app.id, host)?.pending;
      return sealed ? seal.open(sealed, ['acme_hosts', app.id, host]) : undefined;
    },
    keepOrder: (app: App, host: string, text: string): void =>
      void putOrder.run(app.id, host, seal.seal(text, ['acme_hosts', app.id, host])),
    dropOrder: (app: App, host: string): void => void putOrder.run(app.id, host, null),
    remove: (app: App, host: string): void => void remove.run(app.id, host),
  };
}

function toHost({ host, certificate, server, email, failures, next_at, error }: Row): AcmeHost {
  return {
    ...{ host, failures },
    issued: certificate && server !== null && email !== null ? { certificate, server, email } : undefined,
    nextAt: next_at === null ? undefined : new Date(next_at),
    error: error ?? undefined,
  };
}
