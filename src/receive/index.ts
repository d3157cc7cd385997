import { sentence, WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import { quoteForPeople } from '../domain/names.ts';
import { plainLine } from '../domain/plain-text.ts';
import type { Clock } from '../system/clock.ts';
import { diskThatRefuses, diskTrouble } from '../system/disk-trouble.ts';
import type { Locks } from '../system/locks.ts';
import type { Log } from '../system/log.ts';
import type { Paths } from '../system/paths.ts';
import { ensureSystemUser } from '../system/system-user.ts';
import { createGit, type Git } from './git.ts';
import { joinGit } from './git-run.ts';
import { clearLeftovers, clearQuarantines } from './leftovers.ts';
import { createMaintenance, type Maintenance } from './maintenance.ts';
import { createOffers } from './make-offers.ts';
import type { Offers } from './offers.ts';
import { receivePack } from './receive-pack.ts';
import type { GitSession, PushHandler, Receiver, TrackedSession } from './receiver.ts';
import { createRepositories, makeHome, type Repositories, requireReach } from './repositories.ts';
import { openIncoming, takeSource } from './sources.ts';

export type ReceiverOptions = {
  readonly paths: Paths;
  readonly handler: PushHandler;
  /** One change to an app at a time: a push holds the app's lock from its hook until its ref has moved. */
  readonly locks: Locks;
  readonly log: Log;
  readonly clock: Clock;
  /** System user that owns the repositories and runs git. */
  readonly userName?: string;
};

type Opened = {
  readonly git: Git;
  readonly repositories: Repositories;
  readonly maintenance: Maintenance;
  readonly offers: Offers;
};

/** Milliseconds a fetch may take. */
const longestFetch = 3_600_000;

/** The git side of Wherry: repositories, pushes with their hook, fetches, sources. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { paths, handler, locks, log, clock } = options;
  const disks = [paths.data, paths.cache];
  const troubleOf = (error: unknown) => diskTrouble(error, disks);
  const diskRefuses = () => diskThatRefuses(disks);
  const sessions = trackSessions(troubleOf);
  const keepsHistory = (app: AppName) => handler.keepsHistory?.(app) ?? false;
  let parts: Opened | undefined;
  const opened = (): Opened => {
    if (parts) return parts;
    throw new WherryError(
      'unavailable',
      'Wherry is starting and takes no pushes yet. Try again in a moment.',
    );
  };

  return {
    open: async () => {
      const user = await ensureSystemUser(options.userName ?? 'wherry-git');
      await makeHome(paths);
      await clearLeftovers(paths, { uid: user.uid, clock });
      await openIncoming(paths);
      await requireReach(paths, user);
      const git = createGit({ paths, user });
      const repositories = createRepositories({ paths, user });
      const maintenance = createMaintenance({ git, log });
      const offers = createOffers({ git, repositories, maintenance, paths, clock, keepsHistory });
      parts = { git, repositories, maintenance, offers };
    },
    close: async () => {
      parts?.maintenance.stop();
      parts = undefined;
      await sessions.endAll();
    },
    receivePack: session =>
      sessions.run(session, log, async tracked => {
        const { git, repositories, maintenance } = opened();
        await handler.admit(session.app, session.actor);
        await repositories.ensure(session.app);
        const parts = { paths, git, repositories, handler, locks, log, clock };
        const status = await receivePack(tracked, { ...parts, diskTrouble: troubleOf, diskRefuses });
        const repo = repositories.pathOf(session.app);
        // Git killed by force leaves its quarantine behind; one that ends by itself does not.
        if (status >= 128 && sessions.count(session.app) === 1) await clearQuarantines(repo);
        maintenance.consider(repo);
        return status;
      }),
    uploadPack: session =>
      sessions.run(session, log, async tracked => {
        const { git, repositories } = opened();
        if (!(await repositories.exists(session.app))) {
          throw new WherryError('app-not-found', `App ${session.app} does not exist`);
        }
        return uploadPack(tracked, git, repositories.pathOf(session.app));
      }),
    ensure: app => opened().repositories.ensure(app),
    copy: (from, to) => opened().repositories.copy(from, to),
    pack: async (app, signal) => {
      const { repositories, maintenance } = opened();
      if (await repositories.exists(app)) await maintenance.pack(repositories.pathOf(app), signal);
    },
    remove: app => opened().repositories.remove(app),
    head: (app, branch) => opened().repositories.head(app, branch),
    offers: () => opened().offers,
    checkout: (app, commit) => {
      const { git, repositories } = opened();
      if (!/^[0-9a-f]{40}$/.test(commit)) {
        throw new WherryError(
          'invalid',
          `Commit ${quoteForPeople(commit)} is not 40 hex digits. Give the full hash.`,
        );
      }
      const history = keepsHistory(app) ? { branch: handler.deployBranch(app) ?? 'main' } : undefined;
      return takeSource({ git, paths, repo: repositories.pathOf(app), commit, history });
    },
  };
}

async function uploadPack(session: GitSession, git: Git, repo: string): Promise<number> {
  const { protocol, signal } = session;
  const run = joinGit(
    git.start(['upload-pack', '--strict', repo], { repo, protocol, stdio: 'pipe' }),
    session,
  );
  const stop = () => run.stop();
  const timer = setTimeout(stop, longestFetch);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const status = await run.done;
  clearTimeout(timer);
  signal.removeEventListener('abort', stop);
  return status;
}

/** All git sessions under way: ends them on request, and tells a session's failure in one line. */
function trackSessions(troubleOf: (error: unknown) => WherryError | undefined) {
  const running = new Map<Promise<number>, { app: AppName; stop: AbortController }>();

  const attempt = async (
    session: TrackedSession,
    log: Log,
    work: (session: TrackedSession) => Promise<number>,
  ) => {
    try {
      return await work(session);
    } catch (thrown) {
      const error = troubleOf(thrown) ?? thrown;
      if (error !== thrown || !(error instanceof WherryError))
        log.error({ err: thrown, app: session.app }, 'git session failed');
      session.stderr.write(` !     ${plainLine(sentence(error))}\n`);
      return error instanceof WherryError ? error.exitCode : 1;
    }
  };

  return {
    count: (app: AppName) => [...running.values()].filter(entry => entry.app === app).length,
    run: async (session: GitSession, log: Log, work: (session: TrackedSession) => Promise<number>) => {
      const stop = new AbortController();
      const signal = AbortSignal.any([session.signal, stop.signal]);
      const status = attempt({ ...session, signal, ending: stop.signal }, log, work);
      running.set(status, { app: session.app, stop });
      try {
        return await status;
      } finally {
        running.delete(status);
      }
    },
    endAll: async () => {
      const reason = new WherryError('interrupted', 'Wherry is stopping. Push again in a moment.');
      for (const { stop } of running.values()) stop.abort(reason);
      await Promise.allSettled(running.keys());
    },
  };
}
