import type { FindLogin } from '../build/fetch/repository.ts';
import type { SshIdentity } from '../build/fetch/ssh-access.ts';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { gitLoginKey } from '../domain/git-login.ts';
import type { AppName } from '../domain/names.ts';
import { isAtLeast, type Principal, roleOf } from '../domain/people.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { decide } from './authorise.ts';
import { knownHostsKey } from './git-allow-host.ts';

/** What may use everybody's login for a host besides apps that admins of all apps alone deploy. */
export type LoginReach =
  | { readonly kind: 'admins' }
  | { readonly kind: 'all' }
  | { readonly kind: 'apps'; readonly apps: readonly App[] };

/** Who an app is to a host of repositories: by its own login, or by everybody's where it may use that. */
export function createGitLogins(store: Store, clock: Pick<Clock, 'now'>): FindLogin {
  return (name, host) => {
    const app = store.apps.find(name);
    if (!app) return undefined;
    const own = store.credentials.own('git', app, host);
    if (own) return { ...own, scope: `${app.name}#${app.id}` };
    // Whoever deploys an app chooses what it fetches, and this login opens more than the app's own code.
    const may =
      store.properties.resolve(app.id, gitLoginKey(host)) !== undefined ||
      onlyAdminsDeploy(app.name, { store, clock });
    const shared = may ? store.credentials.own('git', 'global', host) : undefined;
    return shared && { ...shared, scope: 'global' };
  };
}

/**
 * The deploy key, and the hosts by ssh that are known, for what an app's own files name.
 * @throws access-denied where others than admins of all apps deploy it: the key opens more than its own code
 */
export function createSubmoduleKeys(
  store: Store,
  clock: Pick<Clock, 'now'>,
): (app: AppName) => SshIdentity | undefined {
  return app => {
    if (onlyAdminsDeploy(app, { store, clock })) return sshIdentityOf(store);
    throw new WherryError(
      'access-denied',
      `The deploy key fetches submodules of apps that admins of all apps alone deploy, and others deploy ${app}. Give its https URL in .gitmodules.`,
      { hint: `git:auth ${app} HOST USER` },
    );
  };
}

export function sshIdentityOf(store: Store): SshIdentity | undefined {
  const key = store.credentials.deployKey();
  const knownHosts = store.properties.list('global', knownHostsKey);
  return key && { privateKey: key.privateKey, knownHosts };
}

export function readReach(store: Store, host: string): LoginReach {
  const name = gitLoginKey(host);
  if (store.properties.get('global', name) !== undefined) return { kind: 'all' };
  const apps = store.apps.list().filter(({ id }) => store.properties.get(`app:${id}`, name) !== undefined);
  return apps.length === 0 ? { kind: 'admins' } : { kind: 'apps', apps };
}

export function setReach(store: Store, host: string, reach: LoginReach): void {
  const name = gitLoginKey(host);
  const named = reach.kind === 'apps' ? reach.apps.map(({ id }) => id) : [];
  store.properties.set('global', name, reach.kind === 'all' ? 'yes' : undefined);
  for (const { id } of store.apps.list())
    store.properties.set(`app:${id}`, name, named.includes(id) ? 'yes' : undefined);
}

export function reachWords(reach: LoginReach): string {
  if (reach.kind === 'all') return 'all apps';
  const admins = 'apps that admins of all apps alone deploy';
  return reach.kind === 'admins' ? admins : [...reach.apps.map(({ name }) => name), admins].join(', ');
}

function onlyAdminsDeploy(
  app: AppName,
  { store, clock }: { readonly store: Store; readonly clock: Pick<Clock, 'now'> },
): boolean {
  const people = store.people.list().map((user): Principal => ({ user, grants: store.people.grants(user) }));
  const tokens = store.tokens
    .list()
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > clock.now())
    .map(({ user, scope }): Principal => ({ user, grants: store.people.grants(user), scope }));
  return [...people, ...tokens].every(
    each =>
      decide(each, { app: 'deploy' }, { kind: 'app', app }) !== 'allowed' || isAtLeast(roleOf(each), 'admin'),
  );
}
