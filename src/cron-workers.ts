import type { Workers } from './cron/timetable.ts';
import type { Deployer } from './deploy.ts';
import type { App } from './domain/app.ts';
import type { CronTask } from './domain/cron-task.ts';
import { parseAppName } from './domain/names.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Store } from './store/store.ts';
import type { Clock } from './system/clock.ts';

type Parts = {
  readonly store: Store;
  readonly deployer: Pick<Deployer, 'desired'>;
  readonly runtime: Pick<Runtime, 'runDetached' | 'oneOffs' | 'stopOneOff'>;
  readonly clock: Clock;
};

/** Milliseconds that a run may take. */
const longestRun = 24 * 3_600_000;
const suspendedKey = 'cron-suspended';

/** The tasks of an app's live release. */
export function tasksOf(deployer: Pick<Deployer, 'desired'>, app: App): readonly CronTask[] {
  return deployer.desired(app)?.image.cron ?? [];
}

/** Ids of the tasks that are not to run. */
export function suspendedTasks({ properties }: Store, app: App): readonly string[] {
  return properties.list(`app:${app.id}`, suspendedKey);
}

export function suspendTasks({ properties }: Store, app: App, ids: readonly string[]): void {
  properties.setList(`app:${app.id}`, suspendedKey, ids);
}

/** Joins the timetable to the pipeline. */
export function createCronWorkers({ store, deployer, runtime, clock }: Parts): Workers {
  const appOf = (name: string) => store.apps.get(parseAppName(name));
  return {
    entries: () =>
      store.apps
        .list()
        .filter(app => !app.stopped)
        .flatMap(app => {
          const suspended = suspendedTasks(store, app);
          return tasksOf(deployer, app)
            .filter(({ id }) => !suspended.includes(id))
            .map(task => ({ app: app.name, task }));
        }),
    async running({ app, task }) {
      const all = await runtime.oneOffs(appOf(app));
      return all.filter(({ cron }) => cron === task.id).map(({ dyno }) => dyno);
    },
    async run({ app: name, task }) {
      await runTask({ store, deployer, runtime, clock }, appOf(name), task);
    },
    stop: ({ app }, name) => runtime.stopOneOff(appOf(app), name),
    tell({ app }, kind, message) {
      store.events.add({ at: clock.now(), app: parseAppName(app), kind, message });
    },
  };
}

/** Starts a task in an instance of its own; tells when it fails. @returns the name of the instance */
export async function runTask(
  { store, deployer, runtime, clock }: Parts,
  app: App,
  task: CronTask,
): Promise<string> {
  const desired = deployer.desired(app);
  if (!desired) throw new Error(`App ${app.name} has not been deployed`);
  const tell = (kind: string, message: string) =>
    store.events.add({ at: clock.now(), app: app.name, kind, message });
  return await runtime.runDetached(
    { ...desired, config: store.config.merged(app) },
    {
      argv: ['/bin/sh', '-c', task.command],
      cron: task.id,
      timeout: longestRun,
      onEnd(name, status) {
        if (status !== 0)
          tell(
            'cron-failed',
            `"${task.command}" (${name}) ended with status ${status}. Its output: run:logs ${app.name} ${name}`,
          );
      },
    },
  );
}
