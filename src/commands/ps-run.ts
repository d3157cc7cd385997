import { WherryError } from '../domain/errors.ts';
import { optional, toggle } from './args.ts';
import { defineCommand } from './define.ts';
import { doing } from './doing.ts';
import { app, processType } from './kinds.ts';
import { columns } from './lines.ts';
import { allFlags, doneTo, oneOrAll } from './one-or-all.ts';
import { aList, anInteger, anyOf, aRecord, aText, aTime } from './results.ts';

/** What restart, stop and start share: an app or all, one process of it or the whole. */
const ofProcesses = {
  args: { app: optional(app), process: optional(processType) },
  flags: allFlags,
  access: { app: 'deploy' },
  effect: 'write',
  result: doneTo,
  text: () => [],
} as const;

const restart = defineCommand({
  name: 'ps:restart',
  summary: 'Replace the running instances by new ones of the same release',
  description:
    'New instances start beside the old and take over when they are ready, so no request fails. What was stopped is started.',
  examples: ['ps:restart blog', 'ps:restart blog worker', 'ps:restart --all --parallel 2'],
  ...ofProcesses,
  run: (context, input) =>
    oneOrAll(context, input, {
      verb: 'restart',
      one: each => context.deployer.restart(each, input.process, doing(context)),
    }),
});

const stop = defineCommand({
  name: 'ps:stop',
  summary: 'Stop an app until ps:start or the next push, or one process of it',
  description:
    'A process that is stopped alone stays so over pushes too, until it is started, restarted or scaled.',
  examples: ['ps:stop blog', 'ps:stop blog worker', 'ps:stop --all'],
  ...ofProcesses,
  run: (context, input) =>
    oneOrAll(context, input, {
      verb: 'stop',
      async one(each) {
        context.progress.step(`Stopping ${each.name}${input.process ? ` ${input.process}` : ''}`);
        await context.deployer.stop(each, input.process, doing(context));
      },
    }),
});

const start = defineCommand({
  name: 'ps:start',
  summary: 'Start an app, or one process of it, that was stopped',
  description:
    'Nothing happens to what runs. Of an app that is stopped, only the process that is named starts.',
  examples: ['ps:start blog', 'ps:start blog worker', 'ps:start --all --parallel -1'],
  ...ofProcesses,
  run: (context, input) =>
    oneOrAll(context, input, {
      verb: 'start',
      one: each => context.deployer.start(each, input.process, doing(context)),
    }),
});

const restore = defineCommand({
  name: 'ps:restore',
  summary: 'Start an app, or all, that should run and does not',
  description:
    'Wherry does so itself when it starts, and whenever a process ends. An app that was stopped by hand stays stopped.',
  examples: ['ps:restore', 'ps:restore blog', 'ps:restore --parallel 4'],
  args: { app: optional(app) },
  flags: allFlags,
  access: { app: 'deploy' },
  effect: 'write',
  result: doneTo,
  run: (context, input) =>
    oneOrAll(
      context,
      { ...input, all: input.app === undefined },
      {
        verb: 'restore',
        async one(each) {
          if (!each.stopped) await context.deployer.start(each, undefined, doing(context));
        },
      },
    ),
  text: () => [],
});

const retire = defineCommand({
  name: 'ps:retire',
  summary: 'Show the instances that were replaced and are on their way out',
  description:
    'Each ends by itself when its requests have, or its time is over: nobody needs to call this, as dokku’s timer does.',
  examples: ['ps:retire'],
  args: {},
  access: { app: 'read' },
  effect: 'read',
  result: aList(aRecord({ app: aText, instance: aText, since: aTime })),
  run: context =>
    context.apps().flatMap(each =>
      context.runtime
        .instances(each)
        .filter(({ status }) => status === 'stopped')
        .map(({ id, since }) => ({ app: each.name, instance: id, since: since.toISOString() })),
    ),
  text: leaving => columns(leaving.map(each => [each.app, each.instance, `since ${each.since}`])),
});

const rebuild = defineCommand({
  name: 'ps:rebuild',
  summary: 'Build the last pushed commit again and deploy it',
  description:
    'Of an app that runs an image of a registry: pulls what its tag means now. It goes on when the connection is lost: builds:output shows the rest, builds:cancel stops it.',
  examples: ['ps:rebuild blog', 'ps:rebuild blog --explain', 'ps:rebuild --all'],
  args: { app: optional(app) },
  flags: { ...allFlags, explain: toggle({ help: 'tell what changed since the last build' }) },
  access: { app: 'deploy' },
  effect: 'write',
  result: anyOf<{ app: string; release: number } | { apps: readonly string[] }>(
    aRecord({ app: aText, release: anInteger }),
    doneTo,
  ),
  async run(context, input) {
    const { actor, progress } = context;
    const how = { explain: input.explain };
    // The client's signal is left out: the build goes on without it.
    if (input.app !== undefined && !input.all) {
      const release = await context.deployer.rebuild(context.app(input.app), how, { actor, progress });
      return { app: input.app, release: release.version };
    }
    if (!input.all) throw new WherryError('invalid', 'Please specify an app to run the command on');
    return await oneOrAll(context, input, {
      verb: 'rebuild',
      one: async each => void (await context.deployer.rebuild(each, how, { actor, progress })),
    });
  },
  text: () => [],
});

export const psRunCommands = [restart, stop, start, restore, retire, rebuild];
