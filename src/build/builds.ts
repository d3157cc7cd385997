import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../domain/app.ts';
import { sentence, WherryError } from '../domain/errors.ts';
import { keptOf, keptProperty } from '../domain/keep.ts';
import type { Actor, Progress } from '../domain/push.ts';
import type { Build, BuildKind } from '../store/builds.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { unlessDiskRefuses } from '../system/disk-trouble.ts';
import { faultPoint } from '../system/fault.ts';
import type { Paths } from '../system/paths.ts';
import { logProgress, pruneLogs, readLog, startLog } from './build-log.ts';
import { type Explanation, readExplanation } from './explain/explanation.ts';
import { createMask, maskProgress } from './mask.ts';

export type Builds = ReturnType<typeof createBuilds>;

export type BuildsOptions = {
  readonly store: Store;
  readonly paths: Pick<Paths, 'buildLogs' | 'builds'>;
  readonly clock: Clock;
};

/** Work that is recorded: whose, what, and who watches. */
export type Recorded = {
  readonly app: App;
  readonly kind: BuildKind;
  readonly commit: string | null;
  /** What the app runs with: none of it is shown. */
  readonly config: Readonly<Record<string, string>>;
  readonly actor: Actor;
  readonly progress: Progress;
  readonly signal?: AbortSignal | undefined;
};

/** What the work is given instead: `progress` shows no secret, `plain` is for Wherry's own last words. */
export type Watched = {
  readonly actor: Actor;
  readonly progress: Progress;
  readonly plain: Progress;
  readonly signal: AbortSignal;
};

type Ended = Parameters<Store['builds']['end']>[1];

type Running = { readonly build: Build; readonly stop: AbortController; readonly ended: Promise<void> };

/** Milliseconds that `cancel` waits for a build to clean up. */
const longestCancel = 60_000;

/** What people see of builds: a record and a log each, and the way to stop the one that runs. */
export function createBuilds({ store, paths, clock }: BuildsOptions) {
  const running = new Map<number, Running>();
  const folder = (app: App) => join(paths.buildLogs, app.name);

  const kept = (app: App): number =>
    keptOf('retention', store.properties.resolve(app.id, keptProperty('retention')));

  const prune = (app: App, keep: number): number => {
    const gone = store.builds.prune(app, keep);
    pruneLogs(
      folder(app),
      store.builds.list(app).map(({ number }) => number),
    );
    return gone;
  };

  /** How builds ended that the disk took no note of then. */
  const unwritten = new Map<Build, Ended>();
  const writeEnds = (): void => {
    for (const [build, how] of unwritten) store.builds.end(build, how);
    unwritten.clear();
  };

  const find = (app: App, number: number | 'current'): Build => {
    if (number !== 'current') return store.builds.get(app, number);
    const [newest] = store.builds.list(app);
    if (newest) return newest;
    throw new WherryError('not-found', `App ${app.name} has no builds yet. Push it first.`);
  };

  return {
    find,
    prune,
    /** How many builds, and their logs, are kept of the app. */
    kept,

    /** Runs the work as a build of the app; what it throws is thrown on without secrets. The caller holds the app's lock. */
    async record<Made extends { readonly version: number }>(
      recorded: Recorded,
      work: (watched: Watched) => Promise<Made>,
    ): Promise<Made> {
      const { app, kind, commit, actor } = recorded;
      writeEnds();
      const build = store.builds.start(app, { kind, commit, actor: actor.name, at: clock.now() });
      const plain = logProgress(recorded.progress, startLog(folder(app), build.number));
      const mask = createMask(recorded.config, store.config.mergedSecretKeys(app));
      const stop = new AbortController();
      const signal = recorded.signal ? AbortSignal.any([recorded.signal, stop.signal]) : stop.signal;
      const end = (how: Ended) => {
        if (!unlessDiskRefuses(() => store.builds.end(build, how))) unwritten.set(build, how);
      };
      const { promise: ended, resolve } = settleable();
      running.set(app.id, { build, stop, ended });
      try {
        const made = await work({ actor, progress: maskProgress(plain, mask), plain, signal });
        end({ status: 'succeeded', release: made.version, at: clock.now() });
        await faultPoint('deploy:recorded');
        return made;
      } catch (error) {
        const told = stop.signal.aborted ? stop.signal.reason : withoutSecrets(error, mask.text);
        const status = stop.signal.aborted ? 'canceled' : 'failed';
        end({ status, reason: sentence(told), at: clock.now() });
        throw told;
      } finally {
        running.delete(app.id);
        resolve();
        unlessDiskRefuses(() => void prune(app, kept(app)));
      }
    },

    /** Stops the build that runs and waits until nothing of it is left. @throws not-found when none runs */
    async cancel(app: App, actor: Actor): Promise<Build> {
      const found = running.get(app.id);
      if (!found) throw new WherryError('not-found', `No build of app ${app.name} is running.`);
      const { build, stop, ended } = found;
      stop.abort(
        new WherryError(
          'interrupted',
          `Build ${build.number} of ${app.name} was canceled by ${actor.name}. What ran before runs on.`,
        ),
      );
      const late = new AbortController();
      await Promise.race([ended, clock.sleep(longestCancel, late.signal).catch(() => {})]);
      late.abort();
      return store.builds.get(app, build.number);
    },

    /** A build's output from its beginning, and on while it runs. Any number may watch, as often as they like. */
    output(app: App, number: number | 'current', signal: AbortSignal): AsyncGenerator<string> {
      const build = find(app, number);
      return readLog({
        file: join(folder(app), `${build.number}.log`),
        goesOn: () => running.get(app.id)?.build.number === build.number,
        clock,
        signal,
      });
    },

    /** What the app's last build that succeeded was made of, and what had changed. @throws not-found when there was none */
    explain(app: App): Explanation {
      const found = readExplanation(paths.builds, app.name);
      if (found) return found;
      throw new WherryError('not-found', `Nothing is kept of a build of app ${app.name}. Push it first.`);
    },

    /** Of an app that is destroyed. */
    forget: (app: App): void => rmSync(folder(app), { recursive: true, force: true }),

    /** Ends all that run, before the process does. */
    async close(): Promise<void> {
      const reason = new WherryError('interrupted', 'Wherry is stopping. Build again in a moment.');
      const all = [...running.values()];
      for (const { stop } of all) stop.abort(reason);
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** A buildpack's own sentence may quote what it was given. */
function withoutSecrets(error: unknown, hide: (text: string) => string): unknown {
  if (!(error instanceof WherryError)) return error;
  const { code, hint } = error;
  const [message, shownHint] = [hide(error.message), hint === undefined ? undefined : hide(hint)];
  if (message === error.message && shownHint === hint) return error;
  return new WherryError(code, message, {
    cause: error,
    ...(shownHint === undefined ? {} : { hint: shownHint }),
  });
}

function settleable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>(done => {
    resolve = done;
  });
  return { promise, resolve };
}
