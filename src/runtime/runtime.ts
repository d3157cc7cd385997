import type { App } from '../domain/app.ts';
import type { CheckSettings } from '../domain/check-settings.ts';
import type { RunOptions } from '../domain/docker-run-option.ts';
import type { HealthCheck } from '../domain/health-check.ts';
import type { Image } from '../domain/image.ts';
import type { Isolation } from '../domain/isolation.ts';
import type { AppName, ProcessType } from '../domain/names.ts';
import type { Parallel } from '../domain/parallel.ts';
import type { Progress } from '../domain/push.ts';
import type { Limits, Quota } from '../domain/quota.ts';
import type { Route, Target } from '../domain/route.ts';
import type { SleepDepth } from '../domain/scaling.ts';
import type { Upkeep } from '../domain/upkeep.ts';
import type { AttachSpec } from '../engine/engine.ts';

/** Everything an app should be running; the runtime makes it so and keeps it so. */
export type Desired = {
  readonly app: App;
  readonly version: number;
  /** Of several instances in one place, the highest up to this one is meant: what is above was not switched to. 0 if left out. */
  readonly generation?: number;
  readonly image: Image;
  /** The app's config of that release. */
  readonly config: Readonly<Record<string, string>>;
  /** The variable that tells its processes their commit, where there is one. */
  readonly revision?: Readonly<Record<string, string>>;
  readonly counts: ReadonlyMap<ProcessType, number>;
  readonly limits: (type: ProcessType) => Limits;
  /** Bytes that each instance counts for in the memory of the host; its limit when left out. */
  readonly promised?: (type: ProcessType) => number;
  readonly quota: Quota;
  /** What docker-options say of a type's instances. */
  readonly options?: (type: ProcessType) => RunOptions;
  /** What runs its instances; runc when left out. */
  readonly isolation?: Isolation;
  /** Asked each time that a process ends or is to end, so that a change holds at once. */
  readonly upkeep?: () => Upkeep;
  /** How much starts at once; all when left out. Asked with each deploy and each scale. */
  readonly parallel?: () => Parallel;
  /** Asked with each check, so that a change holds at once. */
  readonly checks?: () => CheckSettings;
  /** How visitors name the app, which checks do too. */
  readonly site?: () => { readonly host?: string; readonly secure: boolean };
  /** The port that web listens on; left out, its image's own or the platform's usual one. */
  readonly port?: number;
  /** How it was put to sleep before control went away; for `recover` alone. */
  readonly asleep?: SleepDepth | undefined;
};

export type InstanceView = {
  readonly id: string;
  readonly type: ProcessType;
  readonly index: number;
  readonly version: number;
  /** `starting` until ready, `waiting` in restart back-off, `frozen` in light sleep, `asleep` in deep sleep, `exited` when it ended and is not to be restarted. */
  readonly status: 'starting' | 'running' | 'waiting' | 'stopped' | 'frozen' | 'asleep' | 'exited';
  readonly since: Date;
  readonly restarts: number;
  readonly memoryLimit: number;
  /** Bytes that it counts for in the memory of the host. */
  readonly promised: number;
  /** Why it last ended, as a sentence; none if it never did. */
  readonly lastExit?: string;
};

export type LogLine = {
  readonly at: Date;
  /** `web.1`, or `wherry` for the platform's own word. */
  readonly dyno: string;
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
};

export type LogQuery = {
  readonly lines: number;
  readonly type?: string;
  /** Of instances of this release alone. */
  readonly version?: number;
  /** None from before it. */
  readonly since?: Date;
  /** What people see of a line; `contains` is about that. */
  readonly show?: (text: string) => string;
  /** None without this text. */
  readonly contains?: string;
  readonly follow: boolean;
  readonly signal?: AbortSignal;
};

/** What the runtime tells whoever routes; joined in daemon.ts. */
export interface TargetSink {
  /** The serving web instances of an app, whole. Resolves when the edge uses them (at once when it is away). */
  set(app: AppName, state: AppState, targets: readonly Target[]): Promise<void>;
  /** Resolves when no request of these targets is in flight any more, or after `timeout` milliseconds. */
  drained(targets: readonly string[], timeout: number): Promise<void>;
  /** Whether the edge has taken the last `set` and no request of these targets, which are left out of it, is in flight. */
  quiet(targets: readonly string[]): boolean;
}

/** Memory that is to be promised to instances before they are made. */
export type MemoryNeed = {
  readonly app: string;
  readonly bytes: number;
  /** Milliseconds to wait for it. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: (why: string) => void;
};

export type AppState = {
  readonly kind: Route['state'];
  readonly reason?: string;
};

export type DeployOptions = {
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Replace this process type alone (a restart of one type). */
  readonly only?: ProcessType;
  /** The point of no return: everything is ready, the switch is next. A throw undoes the deploy. */
  readonly commit?: () => void;
};

export type ScaleOptions = {
  readonly progress: Progress;
  readonly signal?: AbortSignal;
  /** Instances that are too many end with their last request, however long it takes. */
  readonly patient?: boolean;
};

/** Milliseconds of a deploy's parts; `ready` is the app's own boot. */
export type DeployTimes = {
  readonly create: number;
  readonly start: number;
  readonly ready: number;
  readonly switch: number;
};

export type InstanceStats = {
  readonly id: string;
  readonly memory: number;
  readonly memoryPeak: number;
  readonly oomKills: number;
  /** Bytes written beside its mounts, where that is limited. */
  readonly disk?: { readonly used: number; readonly limit: number };
};

/** What one attempt of a check gave. */
export type CheckResult = {
  /** `web.1`. */
  readonly dyno: string;
  readonly name: string;
  readonly type: HealthCheck['type'];
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Unless it passed. */
  readonly why?: string;
};

export interface Runtime {
  /** Adopts what runs, starts what should and does not, removes strays. */
  recover(desired: readonly Desired[]): Promise<void>;
  /**
   * Replaces an app's instances by those of `desired`: new ones start beside the old, become ready, are switched to, the old drain.
   * @throws WherryError check-failed with the app's own last output in progress; the old instances stay untouched.
   */
  deploy(desired: Desired, options: DeployOptions): Promise<DeployTimes>;
  /** Same release, other counts: starts what is missing, drains what is too many. */
  scale(desired: Desired, options: ScaleOptions): Promise<void>;
  /** Stops all instances, or those of one type, after draining. */
  stop(app: App, type?: ProcessType): Promise<void>;
  /**
   * Puts the web instances to sleep, and those of the types `also`; sleeping lightly already, deeper. Callers hold the app's lock.
   * @returns false when a request is in flight, an instance does not run or the edge is away: all is as before
   */
  sleep(app: App, how: { depth: SleepDepth; also: readonly ProcessType[] }): Promise<boolean>;
  /**
   * Resolves when an instance serves again; at once when the app does not sleep. Needs no lock; asked twice at once it is done once.
   * @throws WherryError check-failed when it does not start: it sleeps on, and visitors are told why until it may be tried again
   */
  wake(app: App): Promise<void>;
  /** How deep an app sleeps; undefined when it is awake, stopped or has no instance. */
  asleep(app: App): SleepDepth | undefined;
  /** What freezing the app gave back to the host since control started, and how often it failed. */
  reclaimed(app: App): { readonly bytes: number; readonly failures: number };
  /** Bytes that all instances may use together, but for those that sleep deeply; an app's quota bounds its own. */
  reserved(): number;
  /** Live, in the kernel, for all running instances of the app; all or nothing. @throws invalid when below use */
  applyLimits(desired: Desired): Promise<void>;
  /** What runs serves under the app's new name from now on. Its instances stay in the group of the old one until they are replaced. */
  rename(app: App): Promise<void>;
  /** After what networks it is on was changed: at once, for all that runs. */
  reconnect(app: App): Promise<void>;
  /** Removes the group of a name that an app had, once its last instance is gone, unless another app has the name by then. Rejects when the runtime is closed before. */
  leaveGroup(name: AppName, isTaken: () => boolean): Promise<void>;
  /** Stops, removes instances, logs, cgroups. */
  remove(app: App): Promise<void>;
  instances(app: App): readonly InstanceView[];
  /** Tries each health check of the instances of some types once; of those that sleep none. */
  check(desired: Desired, types: readonly string[], signal: AbortSignal): Promise<readonly CheckResult[]>;
  /** Read from the kernel; instances that are gone meanwhile are left out. */
  stats(app: App): Promise<readonly InstanceStats[]>;
  logs(app: App, query: LogQuery): AsyncIterable<LogLine>;
  /** A one-off run of the release's image to its end (release phase, scripts); its exit status. */
  runOnce(
    desired: Desired,
    options: {
      type: ProcessType;
      argv: readonly string[];
      /** In front of argv; what the image has unless told. */
      launcher?: readonly string[];
      /** Told the folder of what it wrote over the image, when it ended with status 0 and before that is gone. */
      keep?: (written: string) => Promise<void>;
      progress: Progress;
      signal?: AbortSignal;
    },
  ): Promise<number>;
  /** A command in an instance of its own, with somebody's streams; its exit status. The instance ends with it. */
  run(desired: Desired, command: OneOff & { readonly streams: Streams }): Promise<number>;
  /** A command in an instance of its own, with its output in the app's log; resolves with the name of the instance once it runs. */
  runDetached(desired: Desired, command: DetachedRun): Promise<string>;
  /** One-off instances of an app that run now. */
  oneOffs(app: App): Promise<readonly OneOffView[]>;
  /** Ends a one-off instance. @throws not-found */
  stopOneOff(app: App, dyno: string): Promise<void>;
  /** A command in an instance that runs; its exit status. @throws not-found, conflict for one that is frozen or ended */
  enter(
    app: App,
    dyno: string,
    command: Omit<OneOff, 'env'> & { readonly streams: Streams },
  ): Promise<number>;
  close(): Promise<void>;
}

/** A command that is run once, beside what runs. */
export type OneOff = {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
};

export type DetachedRun = OneOff & {
  /** The task of a timetable that it is a run of. */
  readonly cron?: string;
  /** Milliseconds until it is killed. */
  readonly timeout?: number;
  /** Told its name and exit status; not after control went away meanwhile. */
  readonly onEnd?: (dyno: string, status: number) => void;
};

export type OneOffView = {
  /** `run.1234`. */
  readonly dyno: string;
  readonly command: string;
  readonly since: Date;
  readonly detached: boolean;
  readonly cron?: string;
};

/** Of whoever runs a command. */
export type Streams = Pick<AttachSpec, 'stdin' | 'stdout' | 'stderr' | 'terminal'>;
