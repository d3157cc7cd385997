import type { Deployer } from './deploy.ts';
import type { App } from './domain/app.ts';
import { type AppName, parseAppName, parseProcessType } from './domain/names.ts';
import type { Actor, Progress } from './domain/push.ts';
import type { SleepDepth } from './domain/scaling.ts';
import type { Runtime } from './runtime/runtime.ts';
import type { Fleet, Group } from './scale/fleet.ts';
import type { Store } from './store/store.ts';
import type { Clock } from './system/clock.ts';
import type { Locks } from './system/locks.ts';

export type FleetOptions = {
  readonly store: Store;
  readonly deployer: Deployer;
  readonly runtime: Runtime;
  readonly locks: Locks;
  readonly clock: Clock;
  /** Unix milliseconds until which an app says that it is busy; 0 when it does not. */
  readonly busyUntil: (app: App) => number;
};

const web = parseProcessType('web');
const actor: Actor = { name: 'autoscaler', via: 'platform' };
const silent: Progress = { header() {}, step() {}, detail() {}, raw() {}, warn() {} };

/** Joins the autoscaler to the pipeline: what it sees of apps, and what it may do to them. */
export function createFleet(options: FleetOptions): Fleet {
  const { store, deployer, runtime, locks, clock, busyUntil } = options;
  const seen = new Map<AppName, { readonly state: string; readonly at: number; coldStart: number }>();
  let automatic: { key: string; ids: ReadonlySet<number> } = { key: '', ids: new Set() };

  /** Apps that scale by themselves; settings are read again only when one was changed. */
  const automaticApps = (): readonly App[] => {
    const all = store.apps.list();
    const key = `${store.properties.version()} ${all.map(({ id }) => id).join()}`;
    if (automatic.key !== key) {
      const ids = all.filter(app => deployer.scaling(app, web).automatic).map(({ id }) => id);
      automatic = { key, ids: new Set(ids) };
    }
    return all.filter(app => automatic.ids.has(app.id));
  };

  /** When its release or its sleep last changed, as far as it was seen. */
  const changeOf = (app: App, state: string) => {
    const known = seen.get(app.name);
    if (known?.state === state) return known;
    const fresh = { state, at: clock.now().getTime(), coldStart: known?.coldStart ?? 0 };
    seen.set(app.name, fresh);
    return fresh;
  };

  const groupOf = (app: App): Group | undefined => {
    const instances = runtime
      .instances(app)
      .filter(({ type, status }) => type === web && status !== 'stopped');
    if (app.stopped || instances.length === 0) return undefined;
    const asleep = runtime.asleep(app);
    const change = changeOf(app, `${instances[0]?.version} ${asleep ?? 'awake'}`);
    return {
      app: app.name,
      rules: deployer.scaling(app, web),
      ready: instances.filter(({ status }) => status === 'running').length,
      count: instances.length,
      memory: instances[0]?.promised ?? 0,
      asleep,
      changedAt: change.at,
      busyUntil: busyUntil(app),
      coldStart: change.coldStart,
      held: locks.holder(app.name) !== undefined,
    };
  };

  /** At once or not at all: what cannot be done now is decided anew a second later. */
  const locked = async <Result>(name: string, holder: string, work: (app: App) => Promise<Result>) => {
    const app = store.apps.get(parseAppName(name));
    return await locks.with(app.name, { holder, wait: 0 }, () => work(app));
  };

  return {
    groups: () => automaticApps().flatMap(app => groupOf(app) ?? []),
    async resize(name, count, why) {
      await locked(name, 'the autoscaler', app =>
        deployer.resize(app, count, { actor, progress: silent, why }),
      );
    },
    sleep: (name, depth: SleepDepth, why) =>
      locked(name, 'going to sleep', app => deployer.sleep(app, depth, { why })),
    async wake(name, cause) {
      const app = store.apps.find(parseAppName(name));
      if (!app || app.stopped) return;
      const deep = runtime.asleep(app) === 'deep';
      const ms = await deployer.wake(app, cause);
      const known = seen.get(app.name);
      if (deep && ms !== undefined && known) known.coldStart = ms;
    },
  };
}
