import type { App } from '../domain/app.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';

const masked = '[REDACTED]';

export const inspect = defineCommand({
  name: 'ps:inspect',
  summary: 'Show all that is known of the instances of an app, as JSON',
  description: 'Values of the environment are masked.',
  examples: ['ps:inspect blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  async run(context, input) {
    const owner = context.app(input.app);
    const stats = new Map((await context.runtime.stats(owner)).map(each => [each.id, each]));
    return context.runtime.instances(owner).map(({ lastExit, since, ...instance }) => ({
      ...instance,
      since: since.toISOString(),
      last_exit: lastExit ?? null,
      ...releaseOf(context, owner, instance),
      stats: stats.get(instance.id) ?? null,
    }));
  },
  text: instances => JSON.stringify(instances, null, 2).split('\n'),
});

/** What an instance was made of; nothing when its release is not kept any more. */
function releaseOf({ store }: Context, owner: App, instance: { version: number; type: string }) {
  const release = store.releases.list(owner).find(({ version }) => version === instance.version);
  if (!release) return {};
  const image = store.images.get(release.image);
  const process = image.processes.find(({ type }) => type === instance.type);
  const names = Object.keys({ ...image.env, ...store.releases.config(release) });
  return {
    image: image.id,
    layers: image.layers,
    command: [...image.entrypoint, ...(process?.command ?? [])],
    working_dir: process?.workingDir ?? image.workingDir,
    user: image.user,
    env: Object.fromEntries(names.map(name => [name, masked])),
  };
}
