import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { type ArgKind, asText, optional } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
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
  required: true,
  schema: { type: 'string' },
  parse: value => checkPassword(asText(value, 'password')),
};

const auth = defineCommand({
  name: 'git:auth',
  summary: 'Keep a name and password for a host of git repositories, or forget them',
  description:
    'git:sync tells them to that host, by https alone. The password, better a token that may only read, is the first line on standard input; a third word is taken too, as dokku does, but other users of the machine where it is typed may see it. It is encrypted at rest and never shown. Without a user the login for the host is forgotten.',
  examples: ['git:auth git.example.org ann', 'git:auth git.example.org'],
  args: { host: gitHost, user: optional(user), password: optional(password) },
  access: 'owner',
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const { store, progress } = context;
    if (input.user === undefined) {
      if (!store.credentials.remove('git', 'global', input.host))
        throw new WherryError(
          'not-found',
          `There is no login for ${input.host} to forget. See git:auth-status.`,
        );
      progress.step(`Forgot the login for ${input.host}`);
      return { host: input.host, user: null };
    }
    const secret = input.password ?? (await readPassword(context));
    store.credentials.put('git', 'global', { host: input.host, user: input.user, password: secret });
    progress.step(`Kept the login of ${input.user} for ${input.host}`);
    return { host: input.host, user: input.user };
  },
  text: () => [],
});

const status = defineCommand({
  name: 'git:auth-status',
  summary: 'List the hosts of git repositories that Wherry has a login for, without passwords',
  examples: ['git:auth-status'],
  args: {},
  access: 'owner',
  effect: 'read',
  run: ({ store }) => store.credentials.list('git', 'global'),
  text: logins => logins.map(login => `${login.user}@${login.host}`),
});

export const gitAuthCommands = [auth, status];

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
