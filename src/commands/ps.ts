import { parseProcessType } from '../domain/names.ts';
import { optional } from './args.ts';
import { defineCommand } from './define.ts';
import { doing, isDeployed } from './doing.ts';
import { app, counts, processType } from './kinds.ts';
import { heading, step } from './lines.ts';
import { psReport } from './ps-report.ts';

const web = parseProcessType('web');

const scale = defineCommand({
  name: 'ps:scale',
  aliases: ['apps:scale'],
  summary: 'Show or set how many instances of each process run',
  description: 'Without counts it shows them. Only the processes that are named change; 0 to 100 each.',
  examples: ['ps:scale blog', 'ps:scale blog web=2 worker=0'],
  args: { app, counts: optional(counts) },
  access: { app: 'write' },
  effect: 'write',
  looksOnly: input => input.counts === undefined,
  async run(context, input) {
    const owner = context.app(input.app);
    if (input.counts) {
      const words = [...input.counts].map(([type, count]) => `${type}=${count}`);
      context.progress.step(`Scaling ${owner.name} processes: ${words.join(' ')}`);
      await context.deployer.scale(owner, input.counts, doing(context));
    }
    const now = context.deployer.counts(owner);
    // Before the first push nothing says which processes there are: one web is what it will get.
    const known = context.store.releases.live(owner) || now.has(web) ? now : new Map([[web, 1], ...now]);
    return [...known].map(([type, quantity]) => ({ process_type: type, quantity }));
  },
  text(formation, input) {
    if (input.counts) return [];
    const rows = formation.map(({ process_type, quantity }) => `${`${process_type}:`.padEnd(5)} ${quantity}`);
    return [step(`Scaling for ${input.app}`), heading('proctype: qty'), heading('--------: ---'), ...rows];
  },
});

const restart = defineCommand({
  name: 'ps:restart',
  summary: 'Replace the running instances by new ones of the same release',
  description: 'New instances start beside the old and take over when they are ready, so no request fails.',
  examples: ['ps:restart blog', 'ps:restart blog worker'],
  args: { app, process: optional(processType) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const deployed = isDeployed(context, owner);
    if (deployed) await context.deployer.restart(owner, input.process, doing(context));
    return { app: owner.name, restarted: deployed };
  },
  text: () => [],
});

const stop = defineCommand({
  name: 'ps:stop',
  summary: 'Stop an app until ps:start or the next push',
  examples: ['ps:stop blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    context.progress.step(`Stopping ${owner.name}`);
    await context.deployer.stop(owner, doing(context));
    return { app: owner.name, stopped: true };
  },
  text: () => [],
});

const start = defineCommand({
  name: 'ps:start',
  summary: 'Start an app that was stopped',
  examples: ['ps:start blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const deployed = isDeployed(context, owner);
    if (deployed) await context.deployer.start(owner, doing(context));
    return { app: owner.name, started: deployed };
  },
  text: () => [],
});

const rebuild = defineCommand({
  name: 'ps:rebuild',
  summary: 'Build the last pushed commit again and deploy it',
  description:
    'It goes on when the connection is lost: builds:output shows the rest, builds:cancel stops it.',
  examples: ['ps:rebuild blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const { actor, progress } = context;
    const release = await context.deployer.rebuild(context.app(input.app), { actor, progress });
    return { app: input.app, release: release.version };
  },
  text: () => [],
});

export const psCommands = [scale, restart, stop, start, rebuild, psReport];
