import type { Database } from 'better-sqlite3';
import type { App } from '../domain/app.ts';
import type { Certificate } from '../domain/certificate.ts';
import type { Seal } from './seal.ts';

/** Where a certificate came from: given by somebody, made here, or issued by ACME. */
export type CertificateSource = 'given' | 'self-signed' | 'acme';

/** Whose: an app's, or everybody's for hosts of any app. */
type Owner = App | 'global';

/** Without the key. */
export type StoredCertificate = Omit<Certificate, 'key'> & {
  readonly appId: number | null;
  readonly source: CertificateSource;
  readonly createdAt: Date;
};

type Row = {
  id: string;
  app_id: number | null;
  source: CertificateSource;
  chain: string;
  names: string;
  issuer: string;
  self_signed: number;
  not_before: number;
  not_after: number;
  created_at: number;
};

/** Certificates with their keys, which are encrypted at rest. */
export function certificatesStore(db: Database, seal: Seal) {
  const columns = 'id, app_id, source, chain, names, issuer, self_signed, not_before, not_after, created_at';
  const all = db.prepare<[], Row>(`SELECT ${columns} FROM certificates ORDER BY created_at, id`);
  const ofApp = db.prepare<[number | null], Row>(
    `SELECT ${columns} FROM certificates WHERE app_id IS ? ORDER BY created_at, id`,
  );
  const keyOf = db.prepare<[string], { key: Buffer }>('SELECT key FROM certificates WHERE id = ?');
  const put = db.prepare(
    `INSERT OR REPLACE INTO certificates (${columns}, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const remove = db.prepare<[string]>('DELETE FROM certificates WHERE id = ?');
  return {
    /** In the order of their coming. */
    all: (): readonly StoredCertificate[] => all.all().map(toStored),
    list: (owner: Owner): readonly StoredCertificate[] => ofApp.all(idOf(owner)).map(toStored),
    /** The private key of one. */
    key(id: string): string | undefined {
      const row = keyOf.get(id);
      return row && seal.open(row.key, ['certificates', id]);
    },
    put(
      owner: Owner,
      certificate: Certificate,
      { source, at }: { source: CertificateSource; at: Date },
    ): void {
      const { id, chain, names, issuer, selfSigned, notBefore, notAfter, key } = certificate;
      const times = [notBefore, notAfter, at].map(date => date.getTime());
      const words = [JSON.stringify(names), issuer, selfSigned ? 1 : 0];
      put.run(id, idOf(owner), source, chain, ...words, ...times, seal.seal(key, ['certificates', id]));
    },
    remove: (id: string): void => void remove.run(id),
  };
}

function idOf(owner: Owner): number | null {
  return owner === 'global' ? null : owner.id;
}

function toStored(row: Row): StoredCertificate {
  return {
    id: row.id,
    appId: row.app_id,
    source: row.source,
    chain: row.chain,
    names: JSON.parse(row.names) as string[],
    issuer: row.issuer,
    selfSigned: row.self_signed === 1,
    notBefore: new Date(row.not_before),
    notAfter: new Date(row.not_after),
    createdAt: new Date(row.created_at),
  };
}
