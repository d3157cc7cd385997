import { WherryError } from '../domain/errors.ts';
import { type AppName, parseAppName, quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText, flag, optional, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { type LoginReach, reachWords, readReach, setReach } from './git-logins.ts';
import { appOrGlobalBeforeHost } from './kinds.ts';
import { readStdin } from './read-stdin.ts';

/** Bytes. */
const longestPassword = 16 * 1024;

/** As it stands in URLs: the default port of https is left out. */
export const gitHost: ArgKind<string> = {
  word: 'host',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const text = asText(value, 'host');
    const address = `https://${text}`;
    const url = /^[\w.[\]:-]{1,253}$/.test(text) && URL.canParse(address) ? new URL(address) : undefined;
    if (url) return url.host;
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no host. Give its name as in the URL of a repository, such as "git.example.org".`,
    );
  },
};

const user: ArgKind<string> = {
  word: 'user',
  required: true,
  schema: { type: 'string' },
  parse(value) {
    const text = asText(value, 'user');
    if (/^[^:\s\p{Cc}]{1,255}$/u.test(text)) return text;
    throw new WherryError(
      'invalid',
      'The user is not valid: it has no ":" and no blanks, and at most 255 characters.',
    );
  },
};

const password: ArgKind<string> = {
  word: 'password',
  secret: 'all',
  required: true,
  schema: { type: 'string' },
  parse: value => checkPassword(asText(value, 'password')),
};

const apps: ArgKind<readonly AppName[] | undefined> = flag(
  {
    word: 'app,app',
    required: false,
    schema: { type: 'string' },
    parse: value => (value === undefined ? undefined : asText(value, 'app,app').split(',').map(parseAppName)),
  },
  { help: 'with --global: these apps may use it, whoever deploys them' },
);

const auth = defineCommand({
  name: 'git:auth',
  summary: 'Keep a name and password for a host of git repositories, for an app or for all, or forget them',
  description:
    "They are told to that host by https alone, when the app's code, its submodules, buildpacks or archives come from there. Without an app or with --global, which is dokku's form, they are everybody's, and used for apps that nobody deploys but admins of all apps, since whoever deploys an app chooses what it fetches; for others say --apps or --all-apps, also later without a user. An app's own go before. An app whose name has a dot is named by --app. The password, better a token that may only read, is the first line on standard input; a last word is taken too, as dokku does, but other users of the machine where it is typed may see it. It is encrypted at rest and never shown. Without a user the login for the host is forgotten.",
  examples: [
    'git:auth git.example.org ann',
    'git:auth blog git.example.org ann',
    'git:auth --global git.example.org --apps blog,shop',
    'git:auth blog git.example.org',
  ],
  args: { app: appOrGlobalBeforeHost, host: gitHost, user: optional(user), password: optional(password) },
  flags: { apps, allApps: toggle({ help: 'with --global: every app may use it, whoever deploys it' }) },
  access: { app: 'write' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const { store, progress } = context;
    const owner = input.app === undefined ? 'global' : context.app(input.app);
    const reach = reachOf(context, input);
    const { host } = input;
    if (input.user !== undefined) {
      const secret = input.password ?? (await readPassword(context));
      store.credentials.put('git', owner, { host, user: input.user, password: secret });
      if (owner === 'global') setReach(store, host, reach);
      progress.step(`Kept the login of ${input.user} for ${host}`);
    } else if (reach.kind === 'admins') {
      if (!store.credentials.remove('git', owner, host)) throw noLogin(host);
      if (owner === 'global') setReach(store, host, reach);
      progress.step(`Forgot the login for ${host}`);
    } else {
      if (!store.credentials.own('git', 'global', host)) throw noLogin(host);
      setReach(store, host, reach);
    }
    if (owner === 'global' && (input.user !== undefined || reach.kind !== 'admins'))
      progress.detail(`It is used for ${reachWords(reach)}`);
    return { app: input.app ?? null, host, user: input.user ?? null };
  },
  text: () => [],
});

const status = defineCommand({
  name: 'git:auth-status',
  summary: 'List the hosts of git repositories that an app or all have a login for, without passwords',
  examples: ['git:auth-status', 'git:auth-status blog'],
  args: { app: appOrGlobalBeforeHost },
  access: { app: 'write' },
  effect: 'read',
  run(context, input) {
    const { store } = context;
    const owner = input.app === undefined ? 'global' : context.app(input.app);
    return store.credentials.list('git', owner).map(login => ({
      ...login,
      apps: owner === 'global' ? reachWords(readReach(store, login.host)) : owner.name,
    }));
  },
  text: logins => logins.map(login => `${login.user}@${login.host} (${login.apps})`),
});

export const gitAuthCommands = [auth, status];

/** @throws usage for --apps of an app's own login, app-not-found */
function reachOf(
  { store }: Context,
  input: { app: AppName | undefined; apps: readonly AppName[] | undefined; allApps: boolean },
): LoginReach {
  if (input.apps === undefined && !input.allApps) return { kind: 'admins' };
  if (input.app !== undefined || (input.apps !== undefined && input.allApps))
    throw new WherryError('usage', 'Say --apps or --all-apps, and of the login of all alone.', {
      hint: 'git:auth --global HOST --apps APP,APP',
    });
  return input.allApps ? { kind: 'all' } : { kind: 'apps', apps: (input.apps ?? []).map(store.apps.get) };
}

function noLogin(host: string): WherryError {
  return new WherryError('not-found', `There is no login for ${host} there. See git:auth-status.`);
}

async function readPassword({ stdin, signal }: Context): Promise<string> {
  const line = await readStdin(stdin, { until: 'line', max: longestPassword, signal });
  return checkPassword(line.replace(/\r$/, ''));
}

function checkPassword(secret: string): string {
  if (secret === '')
    throw new WherryError('usage', 'No password came on standard input. Send it as one line.', {
      hint: 'git:auth HOST USER < password-file',
    });
  if (/\p{Cc}/u.test(secret) || secret.length > longestPassword)
    throw new WherryError('invalid', 'The password is too long or holds a control character. Give another.');
  return secret;
}
