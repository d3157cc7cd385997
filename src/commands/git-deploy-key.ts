import { WherryError } from '../domain/errors.ts';
import { makeSshKeyPair } from '../system/ssh-key-pair.ts';
import { defineCommand } from './define.ts';

const generate = defineCommand({
  name: 'git:generate-deploy-key',
  summary: 'Make the key by which Wherry fetches repositories by ssh, and print its public half',
  description:
    'One for all apps (ed25519), encrypted at rest. Let the public half in where the repositories are, better to read alone. One that is there stays, unless --force makes another.',
  examples: ['git:generate-deploy-key', 'git:generate-deploy-key --force'],
  args: {},
  access: 'owner',
  effect: 'write',
  run({ store, force, progress }) {
    if (store.credentials.deployKey() !== undefined && !force)
      throw new WherryError('conflict', 'There is a deploy key already, which repositories may rely on.', {
        hint: 'git:public-key shows it; --force makes another',
      });
    const made = makeSshKeyPair('wherry-deploy-key');
    store.credentials.putDeployKey(made);
    progress.step('Made a deploy key');
    return { public_key: made.publicKey };
  },
  text: ({ public_key }) => [public_key],
});

const show = defineCommand({
  name: 'git:public-key',
  summary: 'Print the public half of the key by which Wherry fetches repositories by ssh',
  examples: ['git:public-key'],
  args: {},
  access: 'admin',
  effect: 'read',
  run({ store }) {
    const key = store.credentials.deployKey();
    if (key) return { public_key: key.publicKey };
    throw new WherryError('not-found', 'There is no deploy key yet.', { hint: 'git:generate-deploy-key' });
  },
  text: ({ public_key }) => [public_key],
});

export const gitDeployKeyCommands = [generate, show];
