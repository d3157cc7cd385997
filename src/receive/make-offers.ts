import { chown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import type { Clock } from '../system/clock.ts';
import type { Paths } from '../system/paths.ts';
import { readCommit } from './commit.ts';
import { importFolder } from './fast-import.ts';
import { exitOf, type Git } from './git.ts';
import type { Maintenance } from './maintenance.ts';
import { ObjectReader } from './objects.ts';
import type { Intake, Offer, Offers } from './offers.ts';
import type { Repositories } from './repositories.ts';
import { makeScratch } from './scratch.ts';
import { takeSource } from './sources.ts';

type Parts = {
  readonly git: Git;
  readonly repositories: Repositories;
  readonly maintenance: Maintenance;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly keepsHistory: (app: AppName) => boolean;
};

const nowhere = '0'.repeat(40);

/** Commits made here go the way of a push: objects in a quarantine, checked out by the same rules, the ref moved last. */
export function createOffers({ git, repositories, maintenance, paths, clock, keepsHistory }: Parts): Offers {
  const open = async (app: AppName): Promise<Intake> => {
    await repositories.ensure(app);
    const repo = repositories.pathOf(app);
    return { app, quarantine: await makeScratch(repo, git.user), known: join(repo, 'objects') };
  };

  const offer: Offers['offer'] = async ({ app, quarantine }, { branch, commit }) => {
    const from = await repositories.head(app, branch);
    const commits = from === null ? [commit] : [commit, from];
    const unchanged = (await sameTree(repositories.pathOf(app), quarantine, commits)) && from !== null;
    return { app, branch, commit, from, unchanged, quarantine };
  };

  const drop: Offers['drop'] = async ({ quarantine }) => {
    await rm(quarantine, { recursive: true, force: true });
  };

  const sameTree = async (repo: string, quarantine: string, commits: readonly string[]): Promise<boolean> => {
    const objects = new ObjectReader(git, { repo, quarantine });
    try {
      const trees = new Set<string>();
      for (const commit of commits) trees.add((await readCommit(objects, commit)).tree);
      return trees.size === 1;
    } finally {
      objects.close();
    }
  };

  const moveBranch = async (repo: string, { branch, commit, from }: Offer): Promise<void> => {
    const args = ['update-ref', `refs/heads/${branch}`, commit, from ?? nowhere];
    const child = git.start(args, { repo, stdio: ['ignore', 'ignore', 'ignore'] });
    if ((await exitOf(child)) === 0) return;
    throw new WherryError(
      'conflict',
      `Branch ${branch} could not be moved: it is not where it was. Try again.`,
    );
  };

  return {
    open,
    offer,
    async commit(app, files) {
      const intake = await open(app);
      try {
        const { quarantine } = intake;
        const repo = repositories.pathOf(app);
        const parent = await repositories.head(app, files.branch);
        const commit = await importFolder({ ...files, git, repo, quarantine, parent, at: clock.now() });
        return await offer(intake, { branch: files.branch, commit });
      } catch (error) {
        await drop(intake);
        throw error;
      }
    },
    async checkout({ app, commit, branch, quarantine }, signal) {
      const repo = repositories.pathOf(app);
      const history = keepsHistory(app) ? { branch } : undefined;
      return await takeSource({ git, paths, repo, quarantine, commit, history, signal });
    },
    async accept(offer) {
      const repo = repositories.pathOf(offer.app);
      await movePacks(offer.quarantine, repo, git);
      await moveBranch(repo, offer);
      await repositories.pointHead(offer.app, offer.branch);
      maintenance.consider(repo);
    },
    drop,
  };
}

/** Indexes last: a pack is in use from the moment its index is there. */
async function movePacks(quarantine: string, repo: string, { user }: Git): Promise<void> {
  const [from, to] = [join(quarantine, 'pack'), join(repo, 'objects/pack')];
  const names = (await readdir(from).catch(none)).filter(name =>
    /^pack-[0-9a-f]+\.(pack|rev|idx)$/.test(name),
  );
  await mkdir(to, { recursive: true });
  await chown(to, user.uid, user.gid);
  const last = (name: string) => Number(name.endsWith('.idx'));
  for (const name of names.sort((a, b) => last(a) - last(b))) await rename(join(from, name), join(to, name));
}

/** What was fetched may all have been there. */
function none(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
