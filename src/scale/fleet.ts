import type { WakeCause } from '../domain/route.ts';
import type { ScalingRules, SleepDepth } from '../domain/scaling.ts';

/** A web process that scales by itself, as it is now. */
export type Group = {
  readonly app: string;
  readonly rules: ScalingRules;
  /** Instances that serve. */
  readonly ready: number;
  /** Bytes that each instance may use. */
  readonly memory: number;
  /** All that there are, those being started or restarted too. */
  readonly count: number;
  /** None when awake. */
  readonly asleep: SleepDepth | undefined;
  /** Unix milliseconds when it last woke, fell asleep, or got a new release; whichever was last. */
  readonly changedAt: number;
  /** Unix milliseconds until which the app says that it is busy; 0 when it did not. */
  readonly busyUntil: number;
  /** Milliseconds that its last start took; 0 when it is not known. */
  readonly coldStart: number;
  /** A deploy, a restart or a stop by hand is under way. */
  readonly held: boolean;
};

/** What the autoscaler may do to apps; joined to the pipeline in daemon.ts. */
export interface Fleet {
  /** Those that scale by themselves, awake or asleep; not the stopped. */
  groups(): readonly Group[];
  /** Makes it `count` instances. @throws WherryError when they do not start, or the app is busy */
  resize(app: string, count: number, why: string): Promise<void>;
  /** Puts it to sleep, or deeper. @returns false when it stays as it is: a request came, or the app is busy */
  sleep(app: string, depth: SleepDepth, why: string): Promise<boolean>;
  /** Resolves when it serves; at once when it does. @throws WherryError why it does not start */
  wake(app: string, cause: WakeCause): Promise<void>;
}
