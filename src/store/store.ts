import { chmodSync } from 'node:fs';
import Database from 'better-sqlite3';
import { WherryError } from '../domain/errors.ts';
import { acmeStore } from './acme.ts';
import { answersStore } from './answers.ts';
import { appsStore } from './apps.ts';
import { auditStore } from './audit.ts';
import { buildpacksStore } from './buildpacks.ts';
import { buildsStore } from './builds.ts';
import { certificatesStore } from './certificates.ts';
import { configStore } from './config.ts';
import { credentialsStore } from './credentials.ts';
import { domainsStore } from './domains.ts';
import { eventsStore } from './events.ts';
import { formationStore } from './formation.ts';
import { imagesStore } from './images.ts';
import { keysStore } from './keys.ts';
import { limitsStore } from './limits.ts';
import { migrations } from './migrations.ts';
import { peopleStore } from './people.ts';
import { pluginSecretsStore } from './plugin-secrets.ts';
import { propertiesStore } from './properties.ts';
import { releasesStore } from './releases.ts';
import type { Seal } from './seal.ts';
import { addSealFunctions, checkLabels, sealedValues } from './sealed-values.ts';
import { tokensStore } from './tokens.ts';

export type Store = ReturnType<typeof openStore>;

/** Opens (and migrates) the database; `:memory:` for tests. Every call is synchronous and prepared once. */
export function openStore(path: string, seal: Seal) {
  const db = new Database(path);
  if (path !== ':memory:') chmodSync(path, 0o600);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('busy_timeout = 5000');
  addSealFunctions(db, seal);
  migrate(db);
  checkLabels(db, seal);
  const properties = propertiesStore(db);
  return {
    acme: acmeStore(db, seal),
    answers: answersStore(db, seal),
    apps: appsStore(db),
    certificates: certificatesStore(db, seal),
    config: configStore(db, seal),
    credentials: credentialsStore(db, seal),
    domains: domainsStore(db),
    formation: formationStore(db),
    limits: limitsStore(db),
    images: imagesStore(db),
    releases: releasesStore(db, seal),
    builds: buildsStore(db),
    audit: auditStore(db),
    people: peopleStore(db),
    tokens: tokensStore(db),
    keys: keysStore(db),
    events: eventsStore(db),
    properties,
    pluginSecrets: pluginSecretsStore(db, seal),
    sealed: sealedValues(db, seal),
    buildpacks: buildpacksStore(properties),
    /** Runs all or nothing; nested calls join the outer one. */
    transaction: <Result>(work: () => Result): Result => db.transaction(work)(),
    close: () => {
      db.close();
    },
  };
}

function migrate(db: Database.Database): void {
  const done = db.pragma('user_version', { simple: true }) as number;
  if (done > migrations.length) {
    throw new WherryError(
      'failed',
      'This data directory was used by a newer Wherry. Install that version or restore a backup.',
    );
  }
  db.transaction(() => {
    for (const migration of migrations.slice(done)) db.exec(migration);
    db.pragma(`user_version = ${migrations.length}`);
  })();
}
