import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { parsePublicKey } from '../domain/public-key.ts';
import type { SshKey } from '../store/keys.ts';
import { flag, many, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { readStdin } from './read-stdin.ts';
import { userName } from './user-name.ts';

/** Largest key file: one line of an RSA key of 16384 bits is 3 kB. */
const longestKey = 64 * 1024;

const keyName = userName('Key name', 'name');

const add = defineCommand({
  name: 'ssh-keys:add',
  summary: 'Let an SSH public key in, as a user’s',
  description:
    'The key is one line of a .pub file, as words or on standard input. The name is its user’s, who may have several. A user who is new has no role, so that access:grant comes next; only the first of all, and admin, is an owner at once.',
  examples: [
    'ssh-keys:add alice < ~/.ssh/id_ed25519.pub',
    'ssh-keys:add alice ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO4m alice@laptop',
  ],
  args: { name: keyName, key: optional(many(text('key'))) },
  access: 'owner',
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const line =
      input.key?.join(' ') ??
      (await readStdin(context.stdin, { until: 'end', max: longestKey, signal: context.signal }));
    const { type, blob, fingerprint } = parsePublicKey(line);
    const publicKey = `${type} ${blob.toString('base64')}`;
    const { store, clock, progress } = context;
    store.transaction(() => {
      if (!store.people.exists(input.name)) welcome(context, input.name);
      store.keys.add({ name: input.name, fingerprint, publicKey, createdAt: clock.now() });
    });
    tellKeys(context, `Added SSH key ${input.name} (${fingerprint})`);
    if (store.people.grants(input.name).length === 0)
      progress.warn(`${input.name} may do nothing yet: access:grant ${input.name} deployer`);
    return { name: input.name, fingerprint };
  },
  text: key => [key.fingerprint],
});

const list = defineCommand({
  name: 'ssh-keys:list',
  summary: 'List the SSH keys that are let in, or one by name',
  examples: ['ssh-keys:list', 'ssh-keys:list alice', 'ssh-keys:list --format json'],
  args: { name: optional(keyName) },
  access: 'owner',
  effect: 'read',
  run({ store }, input) {
    const keys = store.keys.list().filter(key => input.name === undefined || key.name === input.name);
    if (keys.length === 0)
      throw new WherryError(
        'not-found',
        input.name === undefined ? 'No SSH keys found' : `SSH key ${input.name} does not exist.`,
        { hint: 'ssh-keys:add NAME < ~/.ssh/id_ed25519.pub' },
      );
    return keys.map(shownKey);
  },
  text: keys => keys.map(key => `${key.fingerprint} NAME="${key.name}" CREATED="${key.createdAt}"`),
});

const remove = defineCommand({
  name: 'ssh-keys:remove',
  summary: 'Let an SSH key in no more, by name or fingerprint',
  description:
    'By name, all keys of that user, whose roles and tokens stay. Connections that are open with it can run no further command.',
  examples: ['ssh-keys:remove alice', 'ssh-keys:remove --fingerprint SHA256:bKz8'],
  args: { name: optional(keyName) },
  flags: {
    fingerprint: flag(optional(text('fingerprint')), { help: 'SHA256:... as ssh-keys:list shows it' }),
  },
  access: 'owner',
  effect: 'write',
  run(context, input) {
    const { store, progress } = context;
    const keys = chosen(context, input);
    for (const { name, fingerprint } of keys) {
      store.keys.remove(fingerprint);
      tellKeys(context, `Removed SSH key ${name} (${fingerprint})`);
    }
    const [user = ''] = keys.map(({ name }) => name);
    if (store.keys.of(user).length === 0 && store.tokens.of(user).length > 0)
      progress.warn(`Tokens of ${user} stay valid: access:revoke ${user} --all makes the user go with them.`);
    if (store.keys.list().length === 0)
      progress.warn('No SSH key is left: until one is added, nobody can push.');
    return keys.map(({ name, fingerprint }) => ({ name, fingerprint }));
  },
  text: () => [],
});

export const sshKeysCommands = [add, list, remove];

/** As in dokku, admin is who may do everything; so is the first user, since there would be no owner else. */
function welcome({ store, clock }: Context, name: string): void {
  store.people.ensure(name, clock.now());
  if (name === 'admin' || store.people.owners() === 0) store.people.grant(name, 'owner');
}

function chosen(
  { store }: Context,
  { name, fingerprint }: { name: string | undefined; fingerprint: string | undefined },
): readonly SshKey[] {
  if ((name === undefined) === (fingerprint === undefined))
    throw new WherryError('usage', 'Say which SSH key to remove: a name, or --fingerprint.');
  const keys = store.keys.list().filter(key => key.name === name || key.fingerprint === fingerprint);
  if (keys.length > 0) return keys;
  throw new WherryError('not-found', `SSH key ${quoteForPeople(name ?? fingerprint ?? '')} does not exist.`, {
    hint: 'ssh-keys:list',
  });
}

function shownKey(key: SshKey) {
  const { name, fingerprint, publicKey, createdAt } = key;
  return { name, fingerprint, publicKey, createdAt: createdAt.toISOString() };
}

function tellKeys(context: Context, message: string): void {
  context.store.events.add({ at: context.clock.now(), kind: 'ssh-keys', message, actor: context.actor.name });
}
