import type { App } from './domain/app.ts';
import type { AppName, ProcessType } from './domain/names.ts';
import type { Actor, Progress, Push, Source } from './domain/push.ts';
import type { Quota } from './domain/quota.ts';
import type { Release } from './domain/release.ts';

export type Doing = { readonly actor: Actor; readonly progress: Progress; readonly signal?: AbortSignal };

/** The pipeline, and every way to change what runs. Callers hold the app's lock (dispatch does). */
export interface Deployer {
  push(push: Push, source: Source, doing: Doing): Promise<Release>;
  /** Builds the last pushed commit again. @throws not-found when nothing was pushed */
  rebuild(app: App, doing: Doing): Promise<Release>;
  /** After config changed: a release with the same image, deployed; nothing when there is no live release or the app is stopped. */
  releaseConfig(app: App, description: string, doing: Doing): Promise<Release | undefined>;
  /** Image, config and processes of an older release as a new one; the one before the live one unless told. */
  rollback(app: App, version: number | undefined, doing: Doing): Promise<Release>;
  /** Stores counts and makes them so. @throws invalid for a type the release does not have */
  scale(app: App, counts: ReadonlyMap<ProcessType, number>, doing: Doing): Promise<void>;
  restart(app: App, type: ProcessType | undefined, doing: Doing): Promise<void>;
  stop(app: App, doing: Doing): Promise<void>;
  start(app: App, doing: Doing): Promise<void>;
  /** Applies to the kernel first, then stores: nothing is stored that did not take. `null` clears a key. */
  limit(
    app: App,
    type: string,
    change: { memory?: number | null; cpus?: number | null },
    doing: Doing,
  ): Promise<void>;
  quota(app: App, change: { [Key in keyof Quota]?: Quota[Key] }, doing: Doing): Promise<void>;
  /** After domains changed: a new snapshot for the edge. */
  applyRoutes(): Promise<void>;
  create(name: AppName, actor: Actor): App;
  destroy(app: App, doing: Doing): Promise<void>;
  /** Counts as they would run now: the formation over the live release's processes. */
  counts(app: App): ReadonlyMap<ProcessType, number>;
}
