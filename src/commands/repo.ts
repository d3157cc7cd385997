import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';

const purgeCache = defineCommand({
  name: 'repo:purge-cache',
  summary: 'Delete what builds of an app keep for the next one',
  description: 'The next build starts from nothing but what all apps share. Releases and their images stay.',
  examples: ['repo:purge-cache blog'],
  args: { app },
  access: { app: 'deploy' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    await context.deployer.purgeCache(owner);
    tell(context, owner, 'builder', 'Purged the build cache');
    return { app: owner.name };
  },
  text: (_result, input) => [`Deleted the build cache of ${input.app}`],
});

export const repoCommands = [purgeCache];
