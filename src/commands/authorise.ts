import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName } from '../domain/names.ts';
import { isAtLeast, type Principal, type Role, roleOf } from '../domain/people.ts';
import type { Actor } from '../domain/push.ts';
import type { Store } from '../store/store.ts';
import type { Access, Command } from './define.ts';
import { appOf, type Input, isGlobal } from './parse.ts';
import { principalOf } from './principal.ts';

/** What a command is about: an app, whichever apps one may see, or what all apps and the host share. */
export type Subject =
  | { readonly kind: 'app'; readonly app: AppName }
  | { readonly kind: 'apps' }
  | { readonly kind: 'shared' };

/** `hidden`: to be answered as if there were no such app. */
export type Decision = 'allowed' | 'hidden' | 'refused';

const neededOnApp = { read: 'viewer', deploy: 'deployer', write: 'admin' } as const;

/**
 * The one function that says who may do what. Whoever asks, be it a command over SSH, the API or the socket, a push or a fetch,
 * asks it.
 */
export function decide(principal: Principal, access: Access, subject: Subject): Decision {
  if (access === 'public' || access === 'self') return 'allowed';
  const needed = neededRole(access, subject);
  if (typeof access !== 'object' || subject.kind === 'shared')
    return isAtLeast(roleOf(principal), needed) ? 'allowed' : 'refused';
  // Lists hold what one may see; that may be nothing. To act on nothing is refused.
  if (subject.kind === 'apps')
    return needed === 'viewer' || holdsSomewhere(principal, needed) ? 'allowed' : 'refused';
  const role = roleOf(principal, subject.app);
  if (role === undefined) return 'hidden';
  return isAtLeast(role, needed) ? 'allowed' : 'refused';
}

function neededRole(access: Exclude<Access, 'public' | 'self'>, { kind }: Subject): Role {
  if (typeof access !== 'object') return access;
  // What reaches all apps is changed by those who may change all apps, and its secrets are theirs.
  return kind === 'shared' && access.app === 'deploy' ? 'admin' : neededOnApp[access.app];
}

function holdsSomewhere(principal: Principal, needed: Role): boolean {
  const apps = principal.grants.map(({ app }) => app).concat(principal.scope?.apps ?? []);
  return apps.some(app => isAtLeast(roleOf(principal, app), needed));
}

/** Lets a parsed command through. @throws access-denied, app-not-found for an app that is not there or not to be seen */
export function authorise(
  actor: Actor,
  { command, input }: { command: Command; input: Input },
  store: Store,
): void {
  if (command.access === 'public') return;
  const principal = principalOf(actor, store);
  const subject = subjectOf(command, input);
  // Looked up in any case, so that an app one may not see takes as long as one that is not there.
  const missing = subject.kind === 'app' && !store.apps.find(subject.app);
  const decision = decide(principal, command.access, subject);
  if (decision === 'allowed') return;
  if (subject.kind === 'app' && typeof command.access === 'object' && (missing || decision === 'hidden'))
    throw noSuchApp(subject.app);
  throw refusal(principal, command, subject);
}

/** A push or a fetch. A push to an app that is not there would make it. @throws access-denied, app-not-found */
export function authoriseGit(actor: Actor, verb: 'push' | 'fetch', app: AppName, store: Store): void {
  const principal = principalOf(actor, store);
  const found = store.apps.find(app);
  const access = verb === 'push' ? ({ app: 'deploy' } as const) : ({ app: 'read' } as const);
  const decision = decide(principal, found || verb === 'fetch' ? access : 'admin', { kind: 'app', app });
  if (decision === 'allowed') return;
  if (!found || decision === 'hidden') throw noSuchApp(app);
  throw refusal(principal, { name: verb, access }, { kind: 'app', app });
}

/** The apps that the actor may use the access on. */
export function appsFor(actor: Actor, access: Access, store: Store): readonly App[] {
  const principal = principalOf(actor, store);
  return store.apps
    .list()
    .filter(({ name }) => decide(principal, access, { kind: 'app', app: name }) === 'allowed');
}

/** An app that the actor may use the access on. @throws app-not-found */
export function appFor(actor: Actor, access: Access, app: AppName, store: Store): App {
  const principal = principalOf(actor, store);
  const found = store.apps.find(app);
  if (found && decide(principal, access, { kind: 'app', app }) === 'allowed') return found;
  throw noSuchApp(app);
}

/** Whether they may know that it is there. */
export function seesApp(actor: Actor, app: AppName, store: Store): boolean {
  return decide(principalOf(actor, store), { app: 'read' }, { kind: 'app', app }) === 'allowed';
}

/** Whether the actor may use the access on all apps, and on what is of none. */
export function mayAll(actor: Actor, access: Access, store: Store): boolean {
  return decide(principalOf(actor, store), access, { kind: 'shared' }) === 'allowed';
}

function subjectOf(command: Command, input: Input): Subject {
  const app = appOf(command, input);
  if (app && !app.isNew) return { kind: 'app', app: parseAppName(app.name) };
  return isGlobal(command, input) ? { kind: 'shared' } : { kind: 'apps' };
}

/** As the store says it of an app that is not there. */
function noSuchApp(app: AppName): WherryError {
  return new WherryError('app-not-found', `App ${app} does not exist`);
}

function refusal(
  principal: Principal,
  { name, access }: Pick<Command, 'name' | 'access'>,
  subject: Subject,
): WherryError {
  const app = subject.kind === 'app' && typeof access === 'object' ? subject.app : undefined;
  const needed = access === 'public' || access === 'self' ? 'viewer' : neededRole(access, subject);
  const where = app === undefined ? '' : ` on app ${app}`;
  const held = roleOf(principal, app) ?? 'no role';
  const through = principal.scope ? ' by this token' : '';
  return new WherryError(
    'access-denied',
    `Access denied: ${name}${where} needs the role ${needed}. ${principal.user} is ${held} there${through}.`,
    {
      hint: `An owner can change that: access:grant ${[principal.user, needed, app].filter(Boolean).join(' ')}`,
    },
  );
}
