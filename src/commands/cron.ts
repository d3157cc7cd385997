import { runTask, suspendedTasks, suspendTasks, tasksOf } from '../cron-workers.ts';
import type { App } from '../domain/app.ts';
import { type CronTask, nextRun } from '../domain/cron-task.ts';
import { WherryError } from '../domain/errors.ts';
import { optional, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app } from './kinds.ts';
import { columns, heading } from './lines.ts';
import { defineReport } from './report.ts';

const list = defineCommand({
  name: 'cron:list',
  summary: 'List what an app runs at times, and when it is due next; of all apps without a name',
  description:
    'What "cron" of app.json says, from the release that is live. Times are UTC. Each run is an instance of its own, of process cron, with its output in the log: run:logs APP.',
  examples: ['cron:list blog', 'cron:list blog --format json'],
  args: { app: optional(app) },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const apps = input.app === undefined ? context.apps() : [context.app(input.app)];
    return apps.flatMap(each => {
      const suspended = suspendedTasks(context.store, each);
      return tasksOf(context.deployer, each).map(task => ({
        id: task.id,
        app: each.name,
        schedule: task.schedule,
        command: task.command,
        concurrency_policy: task.concurrency,
        suspended: suspended.includes(task.id),
        next:
          suspended.includes(task.id) || each.stopped
            ? null
            : nextRun(task, context.clock.now()).toISOString(),
      }));
    });
  },
  text(found) {
    const [head = '', ...lines] = columns([
      ['ID', 'App', 'Schedule', 'Next', 'Command'],
      ...found.map(each => [each.id, each.app, each.schedule, each.next ?? 'suspended', each.command]),
    ]);
    return [heading(head), ...lines];
  },
});

const run = defineCommand({
  name: 'cron:run',
  summary: 'Run a task of an app now, beside its times',
  examples: ['cron:run blog 5cd4f3a1b2c0'],
  args: { app, id: text('id') },
  access: { app: 'deploy' },
  effect: 'read',
  acts: true,
  async run(context, input) {
    const owner = context.app(input.app);
    const task = taskOf(context, owner, input.id);
    const name = await runTask(context, owner, task);
    tell(context, owner, 'cron', `Runs "${task.command}" as ${name}`);
    return { app: owner.name, id: task.id, name };
  },
  text: ({ name }) => [name],
});

const [suspend, resume] = (['suspend', 'resume'] as const).map(verb =>
  defineCommand({
    name: `cron:${verb}`,
    summary:
      verb === 'suspend'
        ? 'Leave out the times of a task until it is resumed'
        : 'Run a task at its times again',
    examples: [`cron:${verb} blog 5cd4f3a1b2c0`],
    args: { app, id: text('id') },
    access: { app: 'deploy' },
    effect: 'write',
    run(context, input) {
      const owner = context.app(input.app);
      const { id, command } = taskOf(context, owner, input.id);
      const others = suspendedTasks(context.store, owner).filter(each => each !== id);
      suspendTasks(context.store, owner, verb === 'suspend' ? [...others, id] : others);
      const words = `${verb === 'suspend' ? 'Suspended' : 'Resumed'} "${command}"`;
      context.progress.step(words);
      tell(context, owner, 'cron', words);
      return { app: owner.name, id, suspended: verb === 'suspend' };
    },
    text: () => [],
  }),
) as [ReturnType<typeof defineCommand>, ReturnType<typeof defineCommand>];

const report = defineReport({
  name: 'cron:report',
  summary: 'Show how many tasks one app or all run at times',
  examples: ['cron:report blog'],
  title: 'cron',
  prefix: 'cron-',
  values: (context, each) => ({
    'task-count': String(tasksOf(context.deployer, each).length),
    suspended: suspendedTasks(context.store, each).join(' '),
  }),
});

export const cronCommands = [list, run, suspend, resume, report];

function taskOf({ deployer }: Context, owner: App, id: string): CronTask {
  const found = tasksOf(deployer, owner).find(task => task.id === id);
  if (found) return found;
  throw new WherryError('not-found', `App ${owner.name} has no task ${id}.`, {
    hint: `cron:list ${owner.name}`,
  });
}
