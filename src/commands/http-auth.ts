import { parseAddressList } from '../domain/address-list.ts';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { httpAuthKey, readHttpAuth, type StoredHttpAuth } from '../domain/http-auth.ts';
import type { AppName } from '../domain/names.ts';
import { hashPassword } from '../domain/password-hash.ts';
import { type ArgKind, asText, many, optional } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { noPasswordWord, readPassword } from './password.ts';
import { defineReport } from './report.ts';

const hint = 'http-auth:add-user APP USER < password-file';
const password = noPasswordWord(hint);
const mostUsers = 1000;

const user: ArgKind<string> = {
  word: 'user',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const name = asText(value, 'user');
    if (/^[^:\p{Cc}]{1,255}$/u.test(name)) return name;
    throw new WherryError(
      'invalid',
      'The user is not valid: a name has no ":" and no control characters, and at most 255 characters.',
    );
  },
};

const range: ArgKind<string> = {
  word: 'address',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const [one, ...others] = parseAddressList(asText(value, 'address'), 'visitors');
    if (one !== undefined && others.length === 0) return one;
    throw new WherryError('invalid', 'Give each address or range as a word of its own.');
  },
};

const enable = defineCommand({
  name: 'http-auth:enable',
  summary: 'Ask all visitors of an app for a name and password',
  description:
    'With a user, its password is the first line on standard input. The browser asks (HTTP Basic), so give the app a certificate first. A sleeping app is not woken before. What a visitor sends goes on to the app, in Authorization.',
  examples: ['http-auth:enable blog', 'http-auth:enable blog ann'],
  args: { app, user: optional(user), password },
  access: { app: 'write' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const added = input.user === undefined ? {} : await userFrom(context, input.user);
    return change(context, input.app, before => ({
      auth: { ...before, enabled: true, users: { ...before.users, ...added } },
      said: 'Visitors are asked for a name and password',
    }));
  },
  text: () => [],
});

const disable = defineCommand({
  name: 'http-auth:disable',
  summary: 'Ask visitors of an app for no password any more',
  description: 'Users and addresses are kept for http-auth:enable.',
  examples: ['http-auth:disable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) =>
    change(context, input.app, before => ({
      auth: { ...before, enabled: false },
      said: 'Visitors are asked for no password',
    })),
  text: () => [],
});

const addUser = defineCommand({
  name: 'http-auth:add-user',
  summary: 'Let a user in with a password, or give the user another',
  description:
    'The password is the first line on standard input. A hash of it is kept (scrypt), from which nobody gets it back.',
  examples: ['http-auth:add-user blog ann'],
  args: { app, user, password },
  access: { app: 'write' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const added = await userFrom(context, input.user);
    return change(context, input.app, before => {
      const users = { ...before.users, ...added };
      if (Object.keys(users).length > mostUsers)
        throw new WherryError('invalid', `More than ${mostUsers} users are too many. Remove some first.`);
      return { auth: { ...before, users }, said: `User ${input.user} may come` };
    });
  },
  text: () => [],
});

const removeUser = defineCommand({
  name: 'http-auth:remove-user',
  summary: 'Let a user in no more',
  examples: ['http-auth:remove-user blog ann'],
  args: { app, user },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) =>
    change(context, input.app, before => {
      const left = Object.entries(before.users).filter(([name]) => name !== input.user);
      if (left.length === Object.keys(before.users).length)
        throw new WherryError(
          'not-found',
          `App ${input.app} has no user of that name. See http-auth:report ${input.app}.`,
        );
      return {
        auth: { ...before, users: Object.fromEntries(left) },
        said: `User ${input.user} may come no more`,
      };
    }),
  text: () => [],
});

const addAddress = defineCommand({
  name: 'http-auth:add-allowed-ip',
  summary: 'Ask visitors from an address or range for no password',
  examples: ['http-auth:add-allowed-ip blog 192.0.2.7', 'http-auth:add-allowed-ip blog 10.0.0.0/8'],
  args: { app, addresses: many(range) },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) =>
    change(context, input.app, before => ({
      auth: { ...before, allowed: [...new Set([...(before.allowed ?? []), ...input.addresses])] },
      said: `Visitors from ${input.addresses.join(', ')} are not asked`,
    })),
  text: () => [],
});

const removeAddress = defineCommand({
  name: 'http-auth:remove-allowed-ip',
  summary: 'Ask visitors from an address or range again',
  examples: ['http-auth:remove-allowed-ip blog 192.0.2.7'],
  args: { app, addresses: many(range) },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) =>
    change(context, input.app, before => {
      const stray = input.addresses.find(each => !before.allowed?.includes(each));
      if (stray !== undefined)
        throw new WherryError(
          'not-found',
          `Visitors from ${stray} are asked already. See http-auth:report ${input.app}.`,
        );
      return {
        auth: { ...before, allowed: before.allowed?.filter(each => !input.addresses.includes(each)) ?? [] },
        said: `Visitors from ${input.addresses.join(', ')} are asked again`,
      };
    }),
  text: () => [],
});

const report = defineReport({
  name: 'http-auth:report',
  summary: 'Show whether visitors of one app or all are asked for a password, and who may come',
  examples: ['http-auth:report blog', 'http-auth:report blog --http-auth-users'],
  title: 'http-auth',
  prefix: 'http-auth-',
  values(context, each) {
    const { enabled, users, allowed = [] } = stored(context, each);
    return {
      enabled: String(enabled),
      users: Object.keys(users).sort().join(' '),
      'allowed-ips': allowed.join(' '),
    };
  },
});

export const httpAuthCommands = [enable, disable, addUser, removeUser, addAddress, removeAddress, report];

async function userFrom(context: Context, name: string): Promise<Record<string, string>> {
  return { [name]: await hashPassword(await readPassword(context, hint)) };
}

function stored({ store }: Context, { id }: App): StoredHttpAuth {
  return readHttpAuth(store.properties.get(`app:${id}`, httpAuthKey));
}

async function change(
  context: Context,
  name: AppName,
  next: (before: StoredHttpAuth) => { auth: StoredHttpAuth; said: string },
) {
  const owner = context.app(name);
  const { auth, said } = next(stored(context, owner));
  context.store.properties.set(`app:${owner.id}`, httpAuthKey, JSON.stringify(auth));
  context.progress.step(`${said} (${owner.name})`);
  if (auth.enabled && Object.keys(auth.users).length === 0)
    context.progress.warn(
      `App ${owner.name} has no user yet. Add one: http-auth:add-user ${owner.name} USER`,
    );
  if (auth.enabled && !context.urls(owner).every(url => url.startsWith('https:')))
    context.progress.warn(
      `App ${owner.name} answers over plain HTTP, where others can read passwords. Give it a certificate.`,
    );
  tell(context, owner, 'http-auth', said);
  await context.deployer.applyRoutes();
  return {
    app: owner.name,
    enabled: auth.enabled,
    users: Object.keys(auth.users),
    allowed: auth.allowed ?? [],
  };
}
