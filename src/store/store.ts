import { chmodSync } from 'node:fs';
import { acmeStore } from './acme.ts';
import { answersStore } from './answers.ts';
import { appsStore } from './apps.ts';
import { auditStore } from './audit.ts';
import { buildpacksStore } from './buildpacks.ts';
import { buildsStore } from './builds.ts';
import { certificatesStore } from './certificates.ts';
import { configStore } from './config.ts';
import { copyDatabase, renewCopies } from './copies.ts';
import { credentialsStore } from './credentials.ts';
import { domainsStore } from './domains.ts';
import { eventsStore } from './events.ts';
import { formationStore } from './formation.ts';
import { imagesStore } from './images.ts';
import { damageOf } from './integrity.ts';
import { keysStore } from './keys.ts';
import { limitsStore } from './limits.ts';
import { openDatabase } from './open-database.ts';
import { peopleStore } from './people.ts';
import { pluginNoticesStore } from './plugin-notices.ts';
import { pluginSecretsStore } from './plugin-secrets.ts';
import { propertiesStore } from './properties.ts';
import { refusalsStore } from './refusals.ts';
import { releasesStore } from './releases.ts';
import type { Seal } from './seal.ts';
import { addSealFunctions, checkLabels, sealedValues } from './sealed-values.ts';
import { tokensStore } from './tokens.ts';

export type Store = ReturnType<typeof openStore>;

/** Opens (and migrates) the database; `:memory:` for tests. Every call is synchronous and prepared once. */
export function openStore(path: string, seal: Seal, lostEvent: (error: unknown) => void = () => {}) {
  const db = openDatabase(path, { prepare: opened => addSealFunctions(opened, seal) });
  if (path !== ':memory:') chmodSync(path, 0o600);
  checkLabels(db, seal);
  const properties = propertiesStore(db);
  const changed = db.prepare<[], number>('SELECT total_changes()').pluck();
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
    refusals: refusalsStore(db),
    pluginNotices: pluginNoticesStore(db),
    people: peopleStore(db),
    tokens: tokensStore(db),
    keys: keysStore(db),
    events: eventsStore(db, lostEvent),
    properties,
    pluginSecrets: pluginSecretsStore(db, seal),
    sealed: sealedValues(db, seal, at => {
      if (path !== ':memory:') renewCopies(db, path, at);
    }),
    buildpacks: buildpacksStore(properties),
    /** Runs all or nothing; nested calls join the outer one. */
    transaction: <Result>(work: () => Result): Result => db.transaction(work)(),
    /** What is wrong with its pages and indexes, all of which are read; nothing when all is right. */
    damage: (): string | undefined => damageOf(db, 'integrity_check'),
    /** Copies it as it is, beside it. @throws failed when the disk has no room */
    copy: (at: Date): string => copyDatabase(db, path, { at, why: 'regular' }),
    /** Grows with each row that is changed. */
    changes: (): number => changed.get() ?? 0,
    /** Writes all of it as it is at one moment to a new file, while it is used. */
    copyTo: async (file: string): Promise<void> => void (await db.backup(file)),
    close: () => {
      db.close();
    },
  };
}
