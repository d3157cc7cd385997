import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { Log } from '../system/log.ts';
import { type Git, type GitProcess, killGroup } from './git.ts';

export type Thresholds = {
  /** Loose objects, judged by one of their 256 folders. */
  readonly loose: number;
  readonly packs: number;
};

const defaults: Thresholds = { loose: 6700, packs: 50 };
/** Milliseconds. */
const longest = 1_800_000;

/** Packs a repository when pushes have scattered it: in the background, one repository at a time. */
export function createMaintenance({ git, log }: { git: Git; log: Log }, thresholds: Thresholds = defaults) {
  let child: GitProcess | undefined;
  const asked = new Set<() => void>();
  let busy = false;
  let stopped = false;

  const tidy = async (repo: string) => {
    if (!(await isScattered(repo, thresholds)) || stopped) return;
    child = git.start(['gc', '--quiet'], { repo, stdio: ['ignore', 'ignore', 'ignore'] });
    log.info({ repo }, 'packing a repository');
    const status = await ended(child);
    if (status !== 0 && !stopped) log.warn({ repo, status }, 'git gc failed');
  };

  return {
    /** Returns at once; does nothing while another repository is being packed. */
    consider: (repo: string): void => {
      if (busy || stopped) return;
      busy = true;
      tidy(repo)
        .catch(error => log.warn({ err: error, repo }, 'a repository could not be packed'))
        .finally(() => {
          busy = false;
        });
    },
    /** Packs it now, whatever it looks like. @throws failed */
    pack: async (repo: string, signal: AbortSignal): Promise<void> => {
      const own = git.start(['gc', '--quiet'], { repo, stdio: ['ignore', 'ignore', 'ignore'] });
      const end = () => killGroup(own, 'SIGTERM');
      asked.add(end);
      signal.addEventListener('abort', end, { once: true });
      const status = await ended(own);
      asked.delete(end);
      signal.removeEventListener('abort', end);
      signal.throwIfAborted();
      if (status !== 0)
        throw new WherryError(
          'failed',
          'The repository could not be packed: git gc failed. Is the disk full?',
        );
    },
    stop: (): void => {
      stopped = true;
      if (child) killGroup(child, 'SIGTERM');
      for (const end of asked) end();
    },
  };
}

export type Maintenance = ReturnType<typeof createMaintenance>;

async function isScattered(repo: string, { loose, packs }: Thresholds): Promise<boolean> {
  const count = async (folder: string) =>
    (await readdir(join(repo, 'objects', folder)).catch(() => [])).length;
  // A pack has an index and often more beside it.
  return (await count('17')) * 256 > loose || (await count('pack')) / 2 > packs;
}

function ended(child: GitProcess): Promise<number> {
  return new Promise(resolve => {
    const timer = setTimeout(() => killGroup(child, 'SIGTERM'), longest);
    const settle = (code: number | null) => {
      clearTimeout(timer);
      resolve(code ?? 128);
    };
    child.once('error', () => settle(127));
    child.once('exit', settle);
  });
}
