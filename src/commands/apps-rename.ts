import { WherryError } from '../domain/errors.ts';
import { toggle } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, newApp } from './kinds.ts';

/** Milliseconds that whatever is being done under the new name is waited for. */
const lockWait = 30_000;

export const rename = defineCommand({
  name: 'apps:rename',
  summary: 'Give an app another name, and redeploy it under it',
  description:
    'Repository, releases, logs, settings and domains stay with the app; its default domain becomes that of the new name. No request fails meanwhile. With --skip-deploy it is stopped, until it is started or deployed. Remotes of git and scripts have to use the new name.',
  examples: ['apps:rename blog journal', 'apps:rename --skip-deploy blog journal'],
  args: { app, name: newApp },
  flags: { skipDeploy: toggle({ help: 'stop it instead of redeploying it' }) },
  access: 'admin',
  effect: 'write',
  async run(context, input) {
    const { store, locks, deployer, signal, progress } = context;
    const old = context.app(input.app);
    const holder = `apps:rename by ${context.actor.name}`;
    const requireFree = () => {
      if (store.apps.find(input.name)) throw new WherryError('invalid', 'Name is already taken');
    };
    // Also before the wait: the name may be the app's own, whose lock is held.
    requireFree();
    await locks.with(input.name, { holder, wait: lockWait, signal }, async () => {
      requireFree();
      progress.step(`Renaming ${old.name} to ${input.name}`);
      await deployer.rename(old, input.name, { deploy: !input.skipDeploy }, doing(context));
    });
    return { app: input.name, renamed_from: input.app };
  },
  text: () => [],
});
