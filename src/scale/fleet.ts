import type { WakeCause } from '../domain/route.ts';
import type { ScalingRules, SleepDepth } from '../domain/scaling.ts';

/** One process type as the autoscaler sees it now. */
export type Group = {
  readonly app: string;
  readonly type: string;
  readonly rules: ScalingRules;
  /** Instances that serve (web) or run. */
  readonly ready: number;
  /** Being started. */
  readonly starting: number;
  /** None when awake. */
  readonly asleep: SleepDepth | undefined;
  /** Bytes that one instance reserves. */
  readonly memory: number;
  /** Unix milliseconds until which the app says that it is busy; 0 when it did not. */
  readonly busyUntil: number;
  /** Unix milliseconds when it last became awake, and when a release last became live. */
  readonly awakeSince: number;
  readonly deployedAt: number;
  /** A deploy, a restart or a stop by hand is under way: hands off. */
  readonly held: boolean;
};

/** What the autoscaler may do to the apps; owned here, joined to the pipeline in daemon.ts. */
export interface Fleet {
  groups(): readonly Group[];
  /** Makes it `count` instances, awake. @throws WherryError check-failed, unavailable */
  resize(app: string, type: string, count: number, why: string): Promise<void>;
  /** Puts it to sleep, or deeper. @returns false when a request came in the meantime: it is awake as before */
  sleep(app: string, depth: SleepDepth, why: string): Promise<boolean>;
  /** Resolves when it serves. Asked twice at once it is done once. @throws WherryError with the app's last words */
  wake(app: string, cause: WakeCause | string): Promise<void>;
}
