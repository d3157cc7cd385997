import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import { parsePublicKey } from '../domain/public-key.ts';
import type { SshKey } from '../store/keys.ts';
import { type ArgKind, asText, flag, many, optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { readStdin } from './read-stdin.ts';

/** Largest key file: one line of an RSA key of 16384 bits is 3 kB. */
const longestKey = 64 * 1024;

const keyName: ArgKind<string> = {
  word: 'name',
  required: true,
  schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$' },
  parse(value) {
    const name = asText(value, 'name');
    if (!/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/.test(name))
      throw new WherryError(
        'invalid',
        `Key name ${quoteForPeople(name)} is not valid. Use 1 to 63 letters, digits, ".", "_", "@" and "-".`,
      );
    return name;
  },
};

const add = defineCommand({
  name: 'ssh-keys:add',
  summary: 'Let an SSH public key in, under a name',
  description:
    'The key is one line of a .pub file, as words or on standard input. Whoever holds it may push to every app and run every command.',
  examples: [
    'ssh-keys:add alice < ~/.ssh/id_ed25519.pub',
    'ssh-keys:add alice ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO4m alice@laptop',
  ],
  args: { name: keyName, key: optional(many(text('key'))) },
  access: 'admin',
  effect: 'write',
  stdin: true,
  async run(context, input) {
    const line =
      input.key?.join(' ') ??
      (await readStdin(context.stdin, { until: 'end', max: longestKey, signal: context.signal }));
    const { type, blob, fingerprint } = parsePublicKey(line);
    const publicKey = `${type} ${blob.toString('base64')}`;
    context.store.keys.add({ name: input.name, fingerprint, publicKey, createdAt: context.clock.now() });
    tellKeys(context, `Added SSH key ${input.name} (${fingerprint})`);
    return { name: input.name, fingerprint };
  },
  text: key => [key.fingerprint],
});

const list = defineCommand({
  name: 'ssh-keys:list',
  summary: 'List the SSH keys that are let in, or one by name',
  examples: ['ssh-keys:list', 'ssh-keys:list alice', 'ssh-keys:list --format json'],
  args: { name: optional(keyName) },
  access: 'admin',
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
  description: 'Connections that are open with it can run no further command.',
  examples: ['ssh-keys:remove alice', 'ssh-keys:remove --fingerprint SHA256:bKz8'],
  args: { name: optional(keyName) },
  flags: {
    fingerprint: flag(optional(text('fingerprint')), { help: 'SHA256:... as ssh-keys:list shows it' }),
  },
  access: 'admin',
  effect: 'write',
  run(context, input) {
    const key = chosen(context, input);
    context.store.keys.remove(key.fingerprint);
    tellKeys(context, `Removed SSH key ${key.name} (${key.fingerprint})`);
    if (context.store.keys.list().length === 0)
      context.progress.warn('No SSH key is left: until one is added, nobody can push.');
    return { name: key.name, fingerprint: key.fingerprint };
  },
  text: () => [],
});

export const sshKeysCommands = [add, list, remove];

function chosen(
  { store }: Context,
  input: { name: string | undefined; fingerprint: string | undefined },
): SshKey {
  const { name, fingerprint } = input;
  if ((name === undefined) === (fingerprint === undefined))
    throw new WherryError('usage', 'Say which SSH key to remove: a name, or --fingerprint.');
  const key =
    fingerprint === undefined ? store.keys.byName(name ?? '') : store.keys.byFingerprint(fingerprint);
  if (!key)
    throw new WherryError(
      'not-found',
      `SSH key ${quoteForPeople(name ?? fingerprint ?? '')} does not exist.`,
      {
        hint: 'ssh-keys:list',
      },
    );
  return key;
}

function shownKey(key: SshKey) {
  const { name, fingerprint, publicKey, createdAt } = key;
  return { name, fingerprint, publicKey, createdAt: createdAt.toISOString() };
}

function tellKeys(context: Context, message: string): void {
  context.store.events.add({ at: context.clock.now(), kind: 'ssh-keys', message, actor: context.actor.name });
}
