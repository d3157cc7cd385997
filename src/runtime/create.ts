import { availableParallelism } from 'node:os';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { AppName, ProcessType } from '../domain/names.ts';
import { type AppNetworks, namelessOn } from '../domain/network.ts';
import type { SleepDepth } from '../domain/scaling.ts';
import type { Engine, EngineEvent, Mount, OomKill } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { deadline } from '../system/deadline.ts';
import type { Log } from '../system/log.ts';
import { checkNow } from './check-now.ts';
import { diskIsFull, howItWasKilled, remedy } from './exits.ts';
import { createLogFiles } from './log-files.ts';
import { dynoOf, type Member, specFor } from './member.ts';
import { createOneOffs, recoverOneOffs } from './one-offs.ts';
import type { Desired, InstanceView, MemoryNeed, Runtime, TargetSink } from './runtime.ts';
import { Supervisor, type SupervisorOptions } from './supervisor.ts';
import { Turns } from './turns.ts';

export type RuntimeOptions = {
  readonly engine: Engine;
  readonly sink: TargetSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly logsDir: string;
  /** What instances of a process see of the host, beside their layers. */
  readonly mounts: (app: App, type: ProcessType) => Promise<readonly Mount[]>;
  /** Which networks an app's instances are on. */
  readonly networks: (app: App) => AppNetworks;
  /** Writes an event for people. */
  readonly event: (app: AppName, kind: string, message: string) => void;
  /** Waits until the host has memory for instances. */
  readonly admit: (need: MemoryNeed) => Promise<() => void>;
  /** Remembers how an app sleeps, over restarts. */
  readonly noteSleep: (app: App, depth: SleepDepth | undefined) => void;
  readonly random?: () => number;
  readonly readyTimeout?: number;
  readonly drainTimeout?: number;
  readonly stopTimeout?: number;
};

/** Milliseconds between two looks whether a group is empty. */
const groupPause = 1000;

/** Milliseconds in which an instance ends if a memory kill ends it. */
const endsWithin = 500;

/** Milliseconds that an app that wakes may keep others from waking, when very many do. */
const longestTurn = 2000;

/** Desired against actual, for all apps of a data directory. */
export function createRuntime(options: RuntimeOptions): Runtime {
  const { engine, log, clock } = options;
  const files = createLogFiles({ dir: options.logsDir, clock });
  const supervisors = new Map<number, Supervisor>();
  const closed = new AbortController();

  const tell = (app: App, kind: string, message: string): void => {
    options.event(app.name, kind, message);
    log.warn({ app: app.name, kind }, message);
    files
      .say(app.name, message)
      .catch(error => log.error({ err: error, app: app.name }, 'the app log cannot be written'));
  };
  const shared: SupervisorOptions = {
    engine,
    sink: options.sink,
    clock,
    log,
    logsDir: options.logsDir,
    mounts: options.mounts,
    networks: options.networks,
    random: options.random ?? Math.random,
    turns: new Turns({ atOnce: Math.max(4, 2 * availableParallelism()), longest: longestTurn, clock }),
    readyTimeout: options.readyTimeout ?? 60_000,
    drainTimeout: options.drainTimeout ?? 30_000,
    stopTimeout: options.stopTimeout ?? 30_000,
    tell,
    admit: options.admit,
    noteSleep: options.noteSleep,
    lastWords: file => files.lastWords(file),
  };
  const supervisorOf = (app: App): Supervisor => {
    const known = supervisors.get(app.id);
    if (known) return known;
    const made = new Supervisor(app, shared);
    supervisors.set(app.id, made);
    return made;
  };

  /** Tells of a kill that did not end the instance (a child of it died); an end is told by its supervisor. */
  const tellSurvived = async (supervisor: Supervisor, member: Member, oom: OomKill): Promise<void> => {
    const { restarts } = member;
    await clock.sleep(endsWithin);
    if (member.status !== 'running' || member.restarts !== restarts) return;
    const what = howItWasKilled(oom).replace('was killed', 'had a process killed');
    const { app } = supervisor;
    tell(
      app,
      'oom',
      `${dynoOf(member)} ${what}. It runs on. More memory: ${remedy(app.name, member.type, oom)}`,
    );
  };
  const onEvent = (event: EngineEvent): void => {
    if (event.kind === 'exited') return;
    for (const supervisor of supervisors.values()) {
      const member = supervisor.members.get(event.id);
      if (!member) continue;
      if (event.kind === 'oom') void tellSurvived(supervisor, member, event.oom);
      else tell(supervisor.app, 'disk', diskIsFull(supervisor.app.name, member, event.limit));
    }
  };
  const unsubscribe = engine.subscribe(onEvent);
  const commands = createOneOffs({
    ...shared,
    instanceOf: (app, dyno) => [...supervisorOf(app).members.values()].find(each => dynoOf(each) === dyno),
  });

  return {
    ...commands,
    async recover(all) {
      const found = await recoverOneOffs(await engine.list(), engine, commands.watch);
      const known = new Set(all.map(desired => String(desired.app.id)));
      for (const [rank, desired] of all.entries()) {
        const own = found.filter(instance => instance.labels['app'] === String(desired.app.id));
        files.ensure(desired.app.name);
        await supervisorOf(desired.app).recover(desired, own, rank);
      }
      const orphans = found.filter(instance => !known.has(instance.labels['app'] ?? ''));
      await Promise.all(orphans.map(instance => engine.remove(instance.id)));
    },
    async deploy(desired, deployOptions) {
      files.ensure(desired.app.name);
      const times = await supervisorOf(desired.app).deploy(desired, deployOptions);
      const living = new Set([...supervisorOf(desired.app).members.values()].map(member => member.logFile));
      await files.prune(desired.app.name, living);
      return times;
    },
    async scale(desired, scaleOptions) {
      files.ensure(desired.app.name);
      await supervisorOf(desired.app).scale(desired, scaleOptions);
    },
    stop: (app, type) => supervisorOf(app).stop(type),
    sleep: (app, { depth, also }) => supervisorOf(app).sleep(depth, also),
    wake: app => supervisorOf(app).wake(),
    asleep: app => supervisorOf(app).asleep,
    reclaimed: app => supervisorOf(app).reclaimed,
    reserved: () =>
      [...supervisors.values()].reduce((sum, { reserved }) => sum + reserved, commands.reserved()),
    applyLimits: desired => supervisorOf(desired.app).applyLimits(desired),
    rename: app => supervisorOf(app).rename(app),
    reconnect: app => supervisorOf(app).reconnect(),
    async leaveGroup(name, isTaken) {
      while (!isTaken()) {
        try {
          return await engine.removeGroup(name);
        } catch (error) {
          if (!(error instanceof WherryError)) throw error;
        }
        await clock.sleep(groupPause, closed.signal);
      }
    },
    async remove(app) {
      await supervisorOf(app).destroy();
      supervisors.delete(app.id);
      await engine.removeGroup(app.name);
      await files.remove(app.name);
    },
    instances: app => [...supervisorOf(app).members.values()].map(toView).sort(byDyno),
    check: (desired, types, signal) =>
      checkNow(
        { engine, clock, signal },
        desired,
        [...supervisorOf(desired.app).members.values()]
          .filter(({ type, status }) => types.includes(type) && status !== 'stopping')
          .sort((one, other) => one.index - other.index),
      ),
    async stats(app) {
      const members = [...supervisorOf(app).members.values()];
      const read = await Promise.allSettled(
        members.map(async member => ({ id: member.id, ...(await engine.stats(member.id)) })),
      );
      return read.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    },
    logs: (app, query) => files.read(app.name, query),
    runOnce: (desired, run) => runOnce({ desired, ...run, ...shared }),
    async close() {
      closed.abort(new Error('the runtime is closed'));
      unsubscribe();
      for (const supervisor of supervisors.values()) supervisor.release();
    },
  };
}

type OneOff = {
  readonly desired: Desired;
  readonly type: ProcessType;
  readonly argv: readonly string[];
  readonly launcher?: readonly string[];
  readonly keep?: (written: string) => Promise<void>;
  readonly progress: { raw(line: string): void };
  readonly signal?: AbortSignal;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logsDir: string;
  readonly mounts: RuntimeOptions['mounts'];
  readonly networks: RuntimeOptions['networks'];
  readonly lastWords: (file: string) => Promise<readonly string[]>;
};

/** Milliseconds that a release phase may take. */
const oneOffTimeout = 1_800_000;

async function runOnce(run: OneOff): Promise<number> {
  const { desired, type, argv, launcher = desired.image.entrypoint } = run;
  const mounts = await run.mounts(desired.app, type);
  const networks = namelessOn(run.networks(desired.app).early);
  const spec = { ...specFor(desired, { type, index: 1 }, run.logsDir), mounts, networks };
  const instance = await run.engine.create({ ...spec, argv: [...launcher, ...argv] });
  const timeout = deadline(oneOffTimeout);
  try {
    await run.engine.start(instance.id);
    const exit = await run.engine.wait(
      instance.id,
      run.signal ? AbortSignal.any([run.signal, timeout]) : timeout,
    );
    for (const line of await run.lastWords(instance.logFile)) run.progress.raw(line);
    if (exit.code === 0) await run.keep?.(await run.engine.written(instance.id));
    return exit.code;
  } catch (error) {
    if (!timeout.aborted) throw error;
    throw new WherryError(
      'failed',
      `Process ${run.type} did not end within 30 minutes. Make it quicker, or run the work elsewhere.`,
    );
  } finally {
    await run.engine.remove(instance.id);
  }
}

function toView(member: Member): InstanceView {
  return {
    id: member.id,
    type: member.type,
    index: member.index,
    version: member.version,
    status: shownStatus(member),
    since: member.since,
    restarts: member.restarts,
    memoryLimit: member.memoryLimit,
    promised: member.promised,
    ...(member.lastExit === undefined ? {} : { lastExit: member.lastExit }),
  };
}

function shownStatus(member: Member): InstanceView['status'] {
  if (member.status === 'stopping') return 'stopped';
  return member.frozen ? 'frozen' : member.status;
}

function byDyno(a: InstanceView, b: InstanceView): number {
  return a.type.localeCompare(b.type) || a.index - b.index || a.version - b.version;
}
