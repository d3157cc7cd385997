import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { settleAll } from '../system/parallel.ts';
import type { Context } from './context.ts';

/** Milliseconds that what is being done to an app is waited for. */
const lockWait = 1_800_000;

type Work = {
  /** As the error names it: `restart`. */
  readonly verb: string;
  readonly parallel?: number;
  /** Holds the app's lock; the app is as it is then. */
  one(app: App): Promise<void>;
};

/**
 * Does the same to every app of the list. One that fails is told and keeps no other from it.
 * @throws failed when any did
 */
export async function forEachApp(context: Context, apps: readonly App[], work: Work): Promise<string[]> {
  const { store, locks, progress, signal, actor } = context;
  const done: string[] = [];
  const perform = async ({ name }: App): Promise<void> => {
    signal.throwIfAborted();
    const onWait = (holder: string) => progress.detail(`${name}: waiting for ${holder} to end`);
    const lock = { holder: `${work.verb} of all by ${actor.name}`, wait: lockWait, signal, onWait };
    await locks.with(name, lock, async () => {
      // It may have been destroyed, or changed, meanwhile.
      const app = store.apps.find(name);
      if (!app) return;
      await work.one(app);
      done.push(name);
    });
  };
  const results = await settleAll(apps, work.parallel ?? 1, async app => {
    try {
      await perform(app);
    } catch (error) {
      if (error instanceof WherryError) progress.warn(`${app.name}: ${error.message}`);
      throw error;
    }
  });
  const failures = results.flatMap(result =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const bug = failures.find(error => !(error instanceof WherryError));
  if (bug !== undefined) throw bug;
  if (failures.length > 0)
    throw new WherryError('failed', `${work.verb} command returned ${failures.length} errors`);
  return done.sort();
}
