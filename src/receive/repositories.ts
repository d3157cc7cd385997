import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { chmod, chown, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { AppName } from '../domain/names.ts';
import { exec } from '../system/exec.ts';
import type { Paths } from '../system/paths.ts';
import type { SystemUser } from '../system/system-user.ts';
import { homeDir } from './git.ts';
import { installHook } from './hook.ts';

/** Bare repositories, one per app, each owned by git's user. */
export function createRepositories({ paths, user }: { paths: Paths; user: SystemUser }) {
  const pathOf = (app: AppName) => join(paths.repos, `${app}.git`);
  const making = new Map<AppName, Promise<void>>();

  const make = async (app: AppName) => {
    const { init } = await import('isomorphic-git');
    const fresh = join(paths.repos, `.new-${randomBytes(8).toString('hex')}`);
    await init({ fs, gitdir: fresh, bare: true, defaultBranch: 'main' });
    await chown(fresh, user.uid, user.gid);
    await chmod(fresh, 0o700);
    for (const entry of await readdir(fresh, { recursive: true }))
      await chown(join(fresh, entry), user.uid, user.gid);
    await rename(fresh, pathOf(app));
  };

  return {
    pathOf,
    exists: (app: AppName) => isThere(pathOf(app)),
    /** Creates what is missing; asked twice at once, done once. */
    ensure: async (app: AppName) => {
      const known = making.get(app);
      if (known) return known;
      if (await isThere(pathOf(app))) return;
      const work = making.get(app) ?? make(app).finally(() => making.delete(app));
      making.set(app, work);
      await work;
    },
    /** A repository with the same objects and branches for another app, if there is one to copy. */
    copy: async (from: AppName, to: AppName) => {
      if (!(await isThere(pathOf(from)))) return;
      const fresh = join(paths.repos, `.new-${randomBytes(8).toString('hex')}`);
      await exec('cp', ['-a', '--', pathOf(from), fresh]);
      await rename(fresh, pathOf(to));
    },
    remove: async (app: AppName) => {
      // Renamed first: half a repository never answers to the app's name.
      const gone = join(paths.repos, `.gone-${randomBytes(8).toString('hex')}`);
      if (!(await isThere(pathOf(app)))) return;
      await rename(pathOf(app), gone);
      await rm(gone, { recursive: true, force: true });
    },
    /** Commit of a branch, or null. */
    head: async (app: AppName, branch: string): Promise<string | null> => {
      const { resolveRef, Errors } = await import('isomorphic-git');
      try {
        return await resolveRef({ fs, gitdir: pathOf(app), ref: `refs/heads/${branch}` });
      } catch (error) {
        if (error instanceof Errors.NotFoundError) return null;
        throw error;
      }
    },
    /** Makes `branch` what a clone checks out, with git's own lock file. */
    pointHead: async (app: AppName, branch: string) => {
      const head = join(pathOf(app), 'HEAD');
      const lock = `${head}.lock`;
      await writeFile(lock, `ref: refs/heads/${branch}\n`, { flag: 'wx' });
      await chown(lock, user.uid, user.gid);
      await rename(lock, head);
    },
  };
}

export type Repositories = ReturnType<typeof createRepositories>;

/** Makes the repositories' folder; git's user may pass through it and through the data directory, and list neither. */
export async function makeHome(paths: Paths): Promise<void> {
  await mkdir(paths.data, { recursive: true, mode: 0o711 });
  const { mode } = await stat(paths.data);
  await chmod(paths.data, (mode & 0o777) | 0o011);
  await mkdir(paths.repos, { recursive: true });
  await chmod(paths.repos, 0o711);
  await mkdir(homeDir(paths), { recursive: true });
  await chmod(homeDir(paths), 0o755);
  await installHook(paths);
}

/** @throws failed when a folder above the repositories keeps git's user out */
export async function requireReach(paths: Paths, user: SystemUser): Promise<void> {
  try {
    await exec('test', ['-x', homeDir(paths)], { ...user, timeout: 10_000 });
  } catch (error) {
    throw new WherryError(
      'failed',
      `The user that runs git cannot reach ${paths.repos}. Let others pass the folders above it (chmod o+x), or choose another data directory.`,
      { cause: error },
    );
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
