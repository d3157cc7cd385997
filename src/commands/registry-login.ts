import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { parseRegistry } from '../domain/image-ref.ts';
import { type ArgKind, asText, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';
import { noPasswordWord, readPassword } from './password.ts';
import { defineReport } from './report.ts';

const hint = 'registry:login --global SERVER USER < password-file';
const password = noPasswordWord(hint);

const server: ArgKind<string> = {
  word: 'server',
  required: true,
  schema: { type: 'string' },
  parse: value => parseRegistry(asText(value, 'server')),
};

const user: ArgKind<string> = {
  word: 'user',
  required: true,
  schema: { type: 'string', pattern: '^[^:\\s]{1,255}$' },
  parse(value) {
    const name = asText(value, 'user');
    if (/^[^:\s\p{Cc}]{1,255}$/u.test(name)) return name;
    throw new WherryError(
      'invalid',
      'The user is not valid: a name at a registry has no ":" and no blanks, and at most 255 characters.',
    );
  },
};

const login = defineCommand({
  name: 'registry:login',
  summary: 'Keep a name and password for a registry of images, for an app or for all',
  description:
    "The password is the first line on standard input. It is shown to the registry first and not kept when that refuses it; a registry that cannot be reached cannot tell, which is said. It is encrypted at rest. An app's own login goes before that of all. Unlike dokku, say --global for all apps.",
  examples: [
    'registry:login --global docker.io ann',
    'registry:login --password-stdin blog registry.example.org:5000 ann',
  ],
  args: { app: appOrGlobal, server, user, password },
  flags: { passwordStdin: toggle({ help: 'as dokku has it; the password always comes so' }) },
  access: { app: 'write' },
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const owner = input.app === undefined ? 'global' : context.app(input.app);
    const secret = await readPassword(context, hint);
    await check(context, { registry: input.server, user: input.user, password: secret });
    const login = { host: input.server, user: input.user, password: secret };
    context.store.credentials.put('registry', owner, login);
    const words = `Logged in to ${input.server} as ${input.user}`;
    context.progress.step(words);
    tellOwner(context, owner, words);
    return { app: input.app ?? null, server: input.server, user: input.user };
  },
  text: () => [],
});

const logout = defineCommand({
  name: 'registry:logout',
  summary: 'Forget the name and password for a registry of images',
  examples: ['registry:logout --global docker.io', 'registry:logout blog registry.example.org:5000'],
  args: { app: appOrGlobal, server },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = input.app === undefined ? 'global' : context.app(input.app);
    if (!context.store.credentials.remove('registry', owner, input.server))
      throw new WherryError(
        'not-found',
        `${owner === 'global' ? 'Wherry' : `App ${owner.name}`} is not logged in to ${input.server}. See "registry:report".`,
      );
    const words = `Logged out of ${input.server}`;
    context.progress.step(words);
    tellOwner(context, owner, words);
    return { app: input.app ?? null, server: input.server };
  },
  text: () => [],
});

const report = defineReport({
  name: 'registry:report',
  summary: 'Show who one app or all are to registries of images, without passwords',
  examples: ['registry:report blog', 'registry:report blog --registry-computed-logins'],
  title: 'registry',
  prefix: 'registry-',
  values({ store }, each) {
    const own = store.credentials.list('registry', each);
    const global = store.credentials.list('registry', 'global');
    const others = global.filter(({ host }) => !own.some(login => login.host === host));
    const show = (logins: readonly { host: string; user: string }[]) =>
      logins.map(({ host, user }) => `${user}@${host}`).join(' ');
    return {
      logins: show(own),
      'global-logins': show(global),
      'computed-logins': show([...own, ...others]),
    };
  },
});

export const registryCommands = [login, logout, report];

/** @throws access-denied when the registry refuses it */
async function check(
  context: Context,
  login: { registry: string; user: string; password: string },
): Promise<void> {
  const { progress, signal } = context;
  try {
    const said = await context.checkLogin({ ...login, signal });
    if (said === 'not-asked')
      progress.warn(`Registry ${login.registry} lets everybody in, so the password was not checked.`);
  } catch (error) {
    if (!(error instanceof WherryError) || error.code !== 'unavailable') throw error;
    progress.warn(`${error.message} It is kept unchecked: the first pull shows whether it is right.`);
  }
}

function tellOwner(context: Context, owner: App | 'global', words: string): void {
  const { store, clock, actor } = context;
  const app = owner === 'global' ? undefined : owner.name;
  store.events.add({ at: clock.now(), app, kind: 'registry', message: words, actor: actor.name });
}
