import { existsSync } from 'node:fs';
import { Database } from '../system/sqlite.ts';

/** What a database that nobody works with says of domains and certificates. */
export type Peeked = {
  readonly domains: readonly { readonly domain: string; readonly app: string }[];
  readonly certificates: readonly {
    readonly names: readonly string[];
    readonly notAfter: Date;
    readonly isRenewed: boolean;
  }[];
};

/** Read alone, with no key and no migration; undefined where there is none, or it is damaged or of another version. */
export function peek(file: string): Peeked | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 1000 });
    try {
      const domains = db
        .prepare<[], { domain: string; app: string }>(
          'SELECT domains.domain, apps.name AS app FROM domains JOIN apps ON apps.id = domains.app_id ORDER BY apps.name, position',
        )
        .all();
      const certificates = db
        .prepare<[], { names: string; not_after: number; source: string }>(
          'SELECT names, not_after, source FROM certificates ORDER BY created_at',
        )
        .all()
        .map(({ names, not_after, source }) => ({
          names: JSON.parse(names) as string[],
          notAfter: new Date(not_after),
          isRenewed: source === 'acme',
        }));
      return { domains, certificates };
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}
