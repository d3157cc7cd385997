import type { App } from '../domain/app.ts';
import { formationKey } from '../domain/formation.ts';
import { gitLoginKey } from '../domain/git-login.ts';
import { domainsDisabledKey } from '../domain/global-domains.ts';
import { isExclusive, portsKey } from '../domain/port-map.ts';
import { redirectsKey } from '../domain/redirect.ts';
import type { Store } from '../store/store.ts';
import { scaledKey } from './counts.ts';
import { generationKey } from './generation.ts';
import { firstDeployKey } from './scripts.ts';

/** What is of one app at one time, and no setting; patterns of names. */
const notCopied = [
  'asleep',
  'deploy-lock',
  'stopped-types',
  scaledKey,
  formationKey,
  generationKey,
  firstDeployKey,
  domainsDisabledKey,
  redirectsKey,
  gitLoginKey('*'),
  // Of plugins.
  'kept:*',
];

/** Gives an app the settings of another: config, formation, limits, and whatever `X:set` keeps; no domains, TCP ports, logins or certificates. */
export function copySettings(store: Store, from: App, to: App): void {
  store.config.copy(from, to);
  store.formation.set(to, store.formation.get(from));
  for (const row of store.limits.rows(from)) store.limits.put(to, row);
  store.limits.setQuota(to, store.limits.quota(from));
  store.properties.copy(`app:${from.id}`, `app:${to.id}`, notCopied);
  const ports = store.properties.list(`app:${from.id}`, portsKey).filter(mapping => !isExclusive(mapping));
  store.properties.setList(`app:${to.id}`, portsKey, ports);
  store.apps.setDeployBranch(to, from.deployBranch);
}
