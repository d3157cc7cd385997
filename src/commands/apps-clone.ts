import { WherryError } from '../domain/errors.ts';
import { toggle } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, newApp } from './kinds.ts';

/** Milliseconds that whatever is being done under the new name is waited for. */
const lockWait = 30_000;

export const clone = defineCommand({
  name: 'apps:clone',
  summary: 'Make an app with the settings, the code and the release of another',
  description:
    'Config, scale, limits and settings are copied, and the image that runs is deployed as it is: nothing is built. The new app gets its own default domain; domains, certificates and logins of the old one are not copied.',
  examples: ['apps:clone blog blog-staging', 'apps:clone --skip-deploy blog blog-staging'],
  args: { app, name: newApp },
  flags: {
    skipDeploy: toggle({ help: 'copy, and deploy nothing' }),
    ignoreExisting: toggle({ help: 'do nothing when the new name is taken' }),
  },
  access: 'admin',
  effect: 'write',
  async run(context, input) {
    const { store, locks, deployer, signal, progress } = context;
    const old = context.app(input.app);
    if (input.ignoreExisting && store.apps.find(input.name)) {
      progress.step(`App ${input.name} exists already, skipping`);
      return { app: input.name, cloned: false };
    }
    const holder = `apps:clone by ${context.actor.name}`;
    const requireFree = () => {
      if (store.apps.find(input.name)) throw new WherryError('invalid', 'Name is already taken');
    };
    // Also before the wait: the name may be the app's own, whose lock is held.
    requireFree();
    await locks.with(input.name, { holder, wait: lockWait, signal }, async () => {
      requireFree();
      progress.step(`Cloning ${old.name} to ${input.name}`);
      await deployer.clone(old, input.name, { deploy: !input.skipDeploy }, doing(context));
    });
    return { app: input.name, cloned: true };
  },
  text: () => [],
});
