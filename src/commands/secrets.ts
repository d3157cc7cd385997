import { defineCommand } from './define.ts';

const rotate = defineCommand({
  name: 'secrets:rotate',
  summary: 'Encrypt everything that is secret in the database with a new key',
  description:
    'Config, releases, passwords, private keys of certificates and the like. Apps run on, nothing restarts. Where it is cut off, both keys are kept until it is ended: by the next start, or by the same command. Copies of the database are made anew; a backup made before needs the key of its time.',
  examples: ['secrets:rotate'],
  args: {},
  access: 'owner',
  effect: 'write',
  async run(context) {
    context.progress.step('Encrypting everything with a new key');
    return { values: await context.store.sealed.rotate(context.clock.now()) };
  },
  text: ({ values }) => [`       ${values} values, and the old key is gone`],
});

export const secretsCommands = [rotate];
