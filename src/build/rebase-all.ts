import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { Store } from '../store/store.ts';
import type { Locks } from '../system/locks.ts';

/** What became of one app; `release` is the new one's number. */
export type RebaseOutcome =
  | { readonly app: string; readonly outcome: 'rebased'; readonly release: number }
  | { readonly app: string; readonly outcome: 'newest' }
  | { readonly app: string; readonly outcome: 'failed'; readonly reason: string };

export type RebaseAll = ReturnType<typeof createRebaseAll>;

/** Milliseconds that an app's own deploy is waited for. */
const wait = 1_800_000;

type Doing = { readonly actor: Actor; readonly progress: Progress; readonly signal?: AbortSignal };

/** Puts every app on the newest generation of its stack, one after another; one that cannot be does not keep the next from it. */
export function createRebaseAll(options: {
  readonly store: Store;
  readonly locks: Locks;
  /** Of one app; undefined where it is on the newest. The lock is held. */
  readonly rebase: (
    app: App,
    how: { force: boolean },
    doing: Doing,
  ) => Promise<{ readonly version: number } | undefined>;
}) {
  const { store, locks } = options;
  const one = async (app: App, how: { force: boolean }, doing: Doing): Promise<RebaseOutcome> => {
    const { progress, signal } = doing;
    const onWait = (holder: string) => progress.detail(`Waiting for ${holder} to end`);
    const lock = { holder: 'the rebase', wait, onWait, ...(signal ? { signal } : {}) };
    const release = await locks.with(app.name, lock, async () => {
      // It may have been destroyed, or changed, meanwhile.
      const found = store.apps.find(app.name);
      return found && store.releases.live(found) ? await options.rebase(found, how, doing) : undefined;
    });
    return release
      ? { app: app.name, outcome: 'rebased', release: release.version }
      : { app: app.name, outcome: 'newest' };
  };
  return async (how: { force: boolean }, doing: Doing): Promise<readonly RebaseOutcome[]> => {
    const outcomes: RebaseOutcome[] = [];
    for (const app of store.apps.list().filter(each => store.releases.live(each))) {
      doing.signal?.throwIfAborted();
      try {
        outcomes.push(await one(app, how, doing));
      } catch (error) {
        if (!(error instanceof WherryError)) throw error;
        outcomes.push({ app: app.name, outcome: 'failed', reason: error.message });
      }
    }
    return outcomes;
  };
}
