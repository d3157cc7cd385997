import type { Doing } from '../deploy.ts';
import type { App } from '../domain/app.ts';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import type { Formation } from '../domain/formation.ts';
import type { ProcessType } from '../domain/names.ts';
import type { Actor } from '../domain/push.ts';
import type { Quota } from '../domain/quota.ts';
import type { Release } from '../domain/release.ts';
import {
  promisedMemory,
  type Reservation,
  readReservations,
  reservationsKey,
  withReservation,
} from '../domain/reservation.ts';
import type { WakeCause } from '../domain/route.ts';
import type { ScalingRules, SleepDepth } from '../domain/scaling.ts';
import { parseFollowers, sleepKey } from '../domain/sleeping.ts';
import type { DeployOptions, Desired, Runtime } from '../runtime/runtime.ts';
import { everyType, type LimitRow } from '../store/limits.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import { formationOf, scaledKey, scalingOf, web } from './counts.ts';
import { generationOf, setGeneration } from './generation.ts';
import { limitsOf, runOptionsOf } from './run-options.ts';
import { setStoppedTypes, stoppedTypes } from './stopped-types.ts';

/** Every way to change what runs of a release: how many, how much, awake or not. Callers hold the app's lock. */
export interface Running {
  /** Stores counts and makes them so. @throws invalid for a type the release does not have */
  scale(app: App, counts: ReadonlyMap<ProcessType, number>, doing: Doing): Promise<void>;
  /** Instances of web for now, within what autoscaling may choose; `ps:scale` and `autoscale:set` start it anew. */
  resize(app: App, count: number, doing: Doing & { why: string }): Promise<void>;
  /** After its rules changed: autoscaling begins anew from what `ps:scale` says. */
  rescale(app: App): void;
  /** What the app.json of the live release says of counts. */
  formation(app: App): Formation;
  /** How a process type scales by itself. */
  scaling(app: App, type: ProcessType): ScalingRules;
  /** Puts the app to sleep, or deeper. @returns false when it stays as it is: a request is in flight, say */
  sleep(app: App, depth: SleepDepth, why: { why: string; actor?: Actor }): Promise<boolean>;
  /** Resolves with the milliseconds it took when it serves; undefined when it was awake. Needs no lock. @throws why it does not start */
  wake(app: App, by: WakeCause | Actor): Promise<number | undefined>;
  /** Of one process type, only that is replaced. @throws invalid for a type the release does not have, failed when nothing is deployed */
  restart(app: App, type: ProcessType | undefined, doing: Doing): Promise<void>;
  /** Of one process type, it stays stopped over deploys too, until it is started, restarted or scaled. */
  stop(app: App, type: ProcessType | undefined, doing: Doing): Promise<void>;
  /** What was stopped, or does not run; nothing where all runs. */
  start(app: App, type: ProcessType | undefined, doing: Doing): Promise<void>;
  /** Applies to the kernel first, then stores: nothing is stored that did not take. `null` clears a key. */
  limit(
    app: App,
    type: string,
    change: { memory?: number | null; cpus?: number | null; disk?: number | null },
    doing: Doing,
  ): Promise<void>;
  /** What counts of each instance in the memory of the host: for what runs first, then stored. `null` clears a key. @throws unavailable when the host has not so much */
  reserve(
    app: App,
    type: string,
    change: { memory?: number | null; cpus?: number | null },
    doing: Doing,
  ): Promise<void>;
  quota(app: App, change: { [Key in keyof Quota]?: Quota[Key] }, doing: Doing): Promise<void>;
}

export type RunningParts = {
  readonly store: Store;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly desired: (app: App, release: Release) => Desired;
  /** @throws failed when nothing is deployed */
  readonly live: (app: App) => Release;
  readonly tell: (app: App, kind: string, message: string, actor?: Actor) => void;
};

export function createRunning(parts: RunningParts): Running {
  const { store, runtime, clock, desired: desiredOf, live, tell } = parts;
  const waking = new Map<number, Promise<number | undefined>>();

  const wakeOnce = async (app: App, by: WakeCause | Actor): Promise<number | undefined> => {
    if (runtime.asleep(app) === undefined) return undefined;
    const begun = clock.ticks();
    try {
      await runtime.wake(app);
    } catch (error) {
      tell(app, 'wake-failed', `${whoWoke(by)} ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    }
    const ms = Math.round(clock.ticks() - begun);
    tell(app, 'wake', `${whoWoke(by)} It served after ${ms} ms.`, 'path' in by ? undefined : by);
    return ms;
  };

  const reservationsOf = (app: App) =>
    readReservations(store.properties.get(`app:${app.id}`, reservationsKey));

  const typesOf = (release: Release): ProcessType[] =>
    store.images
      .get(release.image)
      .processes.map(process => process.type)
      .filter(type => type !== 'release');

  const requireType = (app: App, release: Release, type: ProcessType): void => {
    const known = typesOf(release);
    if (known.includes(type)) return;
    throw new WherryError('invalid', `${type} is not a process type of ${app.name}`, {
      hint: `Process types of ${app.name}: ${known.join(', ')}`,
    });
  };

  /** Those that stay stopped when one type is started. */
  const others = (app: App, type: ProcessType): ProcessType[] =>
    stoppedTypes(store.properties, app).filter(other => other !== type);

  /** Stores which types are stopped, and makes it so; as before when that fails. */
  const withStopped = async (app: App, types: readonly ProcessType[], work: () => Promise<void>) => {
    const before = stoppedTypes(store.properties, app);
    setStoppedTypes(store.properties, app, types);
    try {
      await work();
    } catch (error) {
      setStoppedTypes(store.properties, app, before);
      throw error;
    }
  };

  /** Instances of the same release take the place of those there are. */
  const replace = async (desired: Desired, options: DeployOptions): Promise<void> => {
    const { app } = desired;
    const generation = generationOf(store, app) + 1;
    const commit = () =>
      store.transaction(() => {
        setGeneration(store, app, generation);
        options.commit?.();
      });
    await runtime.deploy({ ...desired, generation }, { ...options, commit });
  };

  return {
    async scale(app, counts, doing) {
      const release = store.releases.live(app);
      if (release) {
        const known = store.images.get(release.image).processes.map(process => process.type);
        for (const [type, count] of counts) {
          if (count > 0 && (!known.includes(type) || type === 'release')) {
            throw new WherryError('invalid', `${type} is not a valid process name to scale up`, {
              hint: `Process types of ${app.name}: ${known.filter(name => name !== 'release').join(', ')}`,
            });
          }
        }
        if (!app.stopped) {
          const desired = desiredOf(app, release);
          await runtime.scale({ ...desired, counts: new Map([...desired.counts, ...counts]) }, doing);
          await faultPoint('scale:made');
        }
      }
      store.transaction(() => {
        store.formation.set(app, counts);
        const stopped = stoppedTypes(store.properties, app);
        setStoppedTypes(
          store.properties,
          app,
          stopped.filter(type => !counts.has(type)),
        );
        if (counts.has(web)) store.properties.set(`app:${app.id}`, scaledKey, undefined);
      });
      const said = [...counts].map(([type, count]) => `${type}=${count}`).join(' ');
      tell(app, 'scale', `Scaled to ${said}`, doing.actor);
    },
    async resize(app, count, doing) {
      const desired = desiredOf(app, live(app));
      const counts = new Map([...desired.counts, [web, count]] as const);
      await runtime.scale({ ...desired, counts }, { ...doing, patient: true });
      store.properties.set(`app:${app.id}`, scaledKey, String(count));
      tell(app, 'scale', `Scaled by itself to web=${count}: ${doing.why}`);
    },
    rescale: app => store.properties.set(`app:${app.id}`, scaledKey, undefined),
    formation: app => formationOf(store, app),
    scaling: (app, type) => scalingOf(store, app, type),
    async sleep(app, depth, { why, actor }) {
      const also = parseFollowers(store.properties.resolve(app.id, sleepKey('follow-web')) ?? '');
      const done = await runtime.sleep(app, { depth, also });
      if (done)
        tell(
          app,
          'sleep',
          `${depth === 'light' ? 'Frozen' : 'Stopped until it is asked for'}: ${why}`,
          actor,
        );
      return done;
    },
    wake(app, by) {
      const under = waking.get(app.id) ?? wakeOnce(app, by).finally(() => waking.delete(app.id));
      waking.set(app.id, under);
      return under;
    },
    async restart(app, type, doing) {
      const release = live(app);
      if (type) requireType(app, release, type);
      await withStopped(app, type === undefined ? [] : others(app, type), async () => {
        await replace(desiredOf({ ...app, stopped: false }, release), {
          ...doing,
          ...(type ? { only: type } : {}),
        });
        store.apps.setStopped(app, false);
      });
      tell(app, 'restart', type ? `Restarted ${type}` : 'Restarted', doing.actor);
    },
    async stop(app, type, doing) {
      if (type === undefined) {
        store.apps.setStopped(app, true);
        await runtime.stop(app);
        return tell(app, 'stop', 'Stopped', doing.actor);
      }
      const release = live(app);
      requireType(app, release, type);
      await withStopped(app, [...stoppedTypes(store.properties, app), type], async () => {
        if (!app.stopped) await runtime.scale(desiredOf(app, release), doing);
      });
      tell(app, 'stop', `Stopped ${type}`, doing.actor);
    },
    async start(app, type, doing) {
      const release = live(app);
      if (type) requireType(app, release, type);
      const before = stoppedTypes(store.properties, app);
      // Of an app that is stopped as a whole, the one type alone is started.
      const from = type !== undefined && app.stopped ? typesOf(release) : before;
      const left = type === undefined ? [] : from.filter(other => other !== type);
      const instances = runtime.instances(app);
      const runs =
        !app.stopped && instances.length > 0 && instances.every(({ status }) => status !== 'exited');
      if (runs && left.length === before.length) return;
      await withStopped(app, left, async () => {
        const desired = desiredOf({ ...app, stopped: false }, release);
        if (runs) await runtime.scale(desired, doing);
        else await replace(desired, { ...doing, commit: () => store.apps.setStopped(app, false) });
      });
      tell(app, 'start', type ? `Started ${type}` : 'Started', doing.actor);
    },
    async limit(app, type, change, doing) {
      const rows = store.limits.rows(app);
      const old = rows.find(row => row.type === type) ?? { type, memory: null, cpus: null, disk: null };
      const row = { ...old, ...change };
      const release = store.releases.live(app);
      if (release) {
        const others = rows.filter(other => other.type !== type);
        const limits = limitsOf([...others, row], runOptionsOf(store, app));
        await runtime.applyLimits({
          ...desiredOf(app, release),
          limits,
          promised: of => promisedMemory(reservationsOf(app), of, everyType, limits(of).memory),
        });
      }
      await faultPoint('limit:applied');
      if (row.memory === null && row.cpus === null && row.disk === null) store.limits.clear(app, type);
      else store.limits.put(app, row);
      tell(app, 'limit', describeLimit(type, row), doing.actor);
    },
    async reserve(app, type, change, doing) {
      const all = withReservation(reservationsOf(app), type, change);
      const release = store.releases.live(app);
      if (release) {
        const desired = desiredOf(app, release);
        const promised = (of: ProcessType) => promisedMemory(all, of, everyType, desired.limits(of).memory);
        await runtime.applyLimits({ ...desired, promised });
      }
      const text = Object.keys(all).length === 0 ? undefined : JSON.stringify(all);
      store.properties.set(`app:${app.id}`, reservationsKey, text);
      tell(app, 'limit', describeReservation(type, all[type]), doing.actor);
    },
    async quota(app, change, doing) {
      const quota = { ...store.limits.quota(app), ...change };
      const release = store.releases.live(app);
      if (release) await runtime.applyLimits({ ...desiredOf(app, release), quota });
      store.limits.setQuota(app, quota);
      tell(app, 'limit', describeQuota(quota), doing.actor);
    },
  };
}

/** Without the query of the request, which may hold secrets. */
function whoWoke(by: WakeCause | Actor): string {
  if (!('path' in by)) return `Woken by ${by.name}.`;
  return `Woken by ${by.method} ${by.host}${by.path} from ${by.peer}${by.agent === '' ? '' : ` (${by.agent})`}.`;
}

function describeLimit(type: string, { memory, cpus, disk }: LimitRow): string {
  const whose = type === everyType ? 'Every process' : `Each ${type} process`;
  const parts = [
    memory === null ? [] : `${formatBytes(memory)} of memory`,
    cpus === null ? [] : `${cpus} CPUs`,
    disk === null ? [] : `${formatBytes(disk)} of disk`,
  ].flat();
  return `${whose} may use ${parts.join(' and ') || 'what is the default'}`;
}

function describeReservation(type: string, { memory, cpus }: Reservation = {}): string {
  const whose = type === everyType ? 'each process' : `each ${type} process`;
  const parts = [
    memory === undefined ? [] : `${formatBytes(memory)} of memory`,
    cpus === undefined ? [] : `${cpus} CPUs`,
  ].flat();
  return `Reserved for ${whose}: ${parts.join(' and ') || 'its limit'}`;
}

function describeQuota({ memory, pids }: Quota): string {
  const parts = [
    memory === null ? [] : `${formatBytes(memory)} of memory`,
    pids === null ? [] : `${pids} processes`,
  ].flat();
  return `All instances together may use ${parts.join(' and ') || 'what the host has'}`;
}
