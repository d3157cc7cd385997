import { WherryError } from '../domain/errors.ts';
import { type AppName, quoteForPeople } from '../domain/names.ts';
import { roles } from '../domain/people.ts';
import { choice, optional, text, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { columns, heading } from './lines.ts';
import { userName } from './user-name.ts';

const user = userName('User name');

const grant = defineCommand({
  name: 'access:grant',
  summary: 'Give a user a role, everywhere or on one app',
  description:
    'A viewer reads, but no values of config. A deployer also pushes, scales, restarts, runs commands and sets config. An admin does everything with apps; one of all apps also makes them. An owner decides about people, the host, plugins and stacks too, and is so everywhere. A role on an app adds to the one everywhere. The new role takes the place of the old; a user who is new is made.',
  examples: ['access:grant alice deployer blog', 'access:grant bob admin'],
  args: { user, role: choice('role', roles), app: optional(app) },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const { store, clock, progress } = context;
    const owner = input.app === undefined ? undefined : context.app(input.app);
    if (input.role === 'owner' && owner)
      throw new WherryError(
        'invalid',
        'An owner is so of the whole host. Give the role admin on an app, or leave the app out.',
      );
    store.transaction(() => {
      store.people.ensure(input.user, clock.now());
      store.people.grant(input.user, input.role, owner);
    });
    const words = `${input.user} is ${input.role} ${where(owner?.name)}`;
    progress.step(words);
    tellPeople(context, owner?.name, words);
    return { user: input.user, role: input.role, app: owner?.name ?? null };
  },
  text: () => [],
});

const revoke = defineCommand({
  name: 'access:revoke',
  summary: 'Take the role of a user away, everywhere or on one app',
  description:
    'Without an app, the role that holds everywhere; those on apps stay. With --all the user is gone: roles, keys and tokens. It counts at the next command, also of open connections, and within a second for what goes on: logs -t, events -t, run, enter. A push under way ends as it would have.',
  examples: ['access:revoke alice blog', 'access:revoke alice', 'access:revoke alice --all'],
  args: { user, app: optional(app) },
  flags: { all: toggle({ help: 'all roles, keys and tokens: the user is gone' }) },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const { store, progress } = context;
    const owner = input.app === undefined ? undefined : context.app(input.app);
    if (input.all && owner) throw new WherryError('usage', 'Name an app, or say --all.');
    if (!store.people.exists(input.user)) throw noUser(input.user);
    const gone = input.all ? store.people.remove(input.user) : store.people.revoke(input.user, owner);
    const place = input.all ? 'anywhere' : where(owner?.name);
    if (!gone)
      throw new WherryError('not-found', `User ${input.user} has no role ${place}.`, {
        hint: `access:list ${input.user}`,
      });
    const words = input.all ? `${input.user} is gone` : `${input.user} has no role ${place} any more`;
    progress.step(words);
    tellPeople(context, owner?.name, words);
    if (store.people.owners() === 0) progress.warn('No owner is left but whoever has the host itself.');
    return { user: input.user, app: owner?.name ?? null, all: input.all };
  },
  text: () => [],
});

const list = defineCommand({
  name: 'access:list',
  summary: 'List who has which role, of all, of one user, or on one app',
  description: 'Of an app, all who reach it: also those whose role holds everywhere.',
  examples: ['access:list', 'access:list alice', 'access:list blog'],
  args: { name: optional(text('user|app')) },
  access: 'owner',
  effect: 'read',
  run({ store }, { name }) {
    const all = store.people.list().flatMap(each => rolesOf({ store }, each));
    if (name === undefined) return all;
    const isUser = store.people.exists(name);
    const isApp = store.apps.list().some(each => each.name === name);
    if (!isUser && !isApp)
      throw new WherryError('not-found', `${quoteForPeople(name)} is neither a user nor an app.`, {
        hint: 'access:list',
      });
    const reaches = (each: Held) => each.role !== null && (each.app === null || each.app === name);
    return all.filter(each => (isUser && each.user === name) || (isApp && reaches(each)));
  },
  text(rows) {
    const [head = '', ...lines] = columns([
      ['User', 'Role', 'App', 'Keys'],
      ...rows.map(each => [each.user, each.role ?? '-', each.app ?? '-', String(each.keys)]),
    ]);
    return [heading(head), ...lines];
  },
});

export const accessCommands = [grant, revoke, list];

/** An app of null is all of them; a role of null: none at all. */
type Held = {
  readonly user: string;
  readonly role: string | null;
  readonly app: string | null;
  readonly keys: number;
};

function rolesOf({ store }: Pick<Context, 'store'>, user: string): readonly Held[] {
  const keys = store.keys.of(user).length;
  const grants = store.people.grants(user);
  if (grants.length === 0) return [{ user, role: null, app: null, keys }];
  return grants.map(each => ({ user, role: each.role, app: each.app ?? null, keys }));
}

function noUser(name: string): WherryError {
  return new WherryError('not-found', `User ${name} does not exist.`, { hint: 'access:list' });
}

function where(app: AppName | undefined): string {
  return app === undefined ? 'everywhere' : `on app ${app}`;
}

function tellPeople({ store, clock, actor }: Context, app: AppName | undefined, message: string): void {
  store.events.add({ at: clock.now(), app, kind: 'access', message, actor: actor.name });
}
