import {
  type ArgKind,
  app,
  asText,
  type CommandTools,
  defineCommand,
  definePlugin,
  hashPassword,
  many,
  noPasswordWord,
  optional,
  parseAddressList,
  type StoredHttpAuth,
  WherryError,
} from '../../src/plugin/api.ts';

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
  async run(tools, input) {
    const added = input.user === undefined ? {} : await userFrom(tools, input.user);
    return change(tools, input.app, before => ({
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
  run: (tools, input) =>
    change(tools, input.app, before => ({
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
  async run(tools, input) {
    const added = await userFrom(tools, input.user);
    return change(tools, input.app, before => {
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
  run: (tools, input) =>
    change(tools, input.app, before => {
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
  run: (tools, input) =>
    change(tools, input.app, before => ({
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
  run: (tools, input) =>
    change(tools, input.app, before => {
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

export default definePlugin({
  name: 'http-auth',
  summary: 'Asks visitors for a name and password',
  commands: [enable, disable, addUser, removeUser, addAddress, removeAddress],
  report(tools, name) {
    const { enabled, users, allowed = [] } = tools.edgeRules(name).httpAuth;
    return {
      enabled: String(enabled),
      users: Object.keys(users).sort().join(' '),
      'allowed-ips': allowed.join(' '),
    };
  },
});

async function userFrom(tools: CommandTools, name: string): Promise<Record<string, string>> {
  return { [name]: await hashPassword(await tools.readPassword(hint)) };
}

async function change(
  tools: CommandTools,
  name: string,
  next: (before: StoredHttpAuth) => { auth: StoredHttpAuth; said: string },
) {
  const owner = tools.app(name);
  const { auth, said } = next(tools.edgeRules(name).httpAuth);
  await tools.setEdgeRules(name, { httpAuth: auth });
  tools.progress.step(`${said} (${name})`);
  if (auth.enabled && Object.keys(auth.users).length === 0)
    tools.progress.warn(`App ${name} has no user yet. Add one: http-auth:add-user ${name} USER`);
  if (auth.enabled && !owner.urls.every(url => url.startsWith('https:')))
    tools.progress.warn(
      `App ${name} answers over plain HTTP, where others can read passwords. Give it a certificate.`,
    );
  tools.note(name, said);
  return { app: name, enabled: auth.enabled, users: Object.keys(auth.users), allowed: auth.allowed ?? [] };
}
