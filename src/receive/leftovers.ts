import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../system/clock.ts';
import type { Paths } from '../system/paths.ts';
import { scratchPrefix } from './scratch.ts';

/** Milliseconds until a process of a daemon that is gone is killed. */
const patience = 2000;

/**
 * After a crash: ends git processes that still work in our repositories, then removes what they left, quarantines, lock
 * files and temporary files. Nothing here may run while this daemon serves pushes.
 */
export async function clearLeftovers(paths: Paths, options: { uid: number; clock: Clock }): Promise<void> {
  await endStrays(paths, options);
  for (const name of await list(paths.repos)) {
    const path = join(paths.repos, name);
    if (/^\.(new|gone)-/.test(name)) await rm(path, { recursive: true, force: true });
    else if (name.endsWith('.git')) await clearRepository(path);
  }
}

/** Objects of pushes that were cut off. Only when no push to this repository runs. */
export async function clearQuarantines(repo: string): Promise<void> {
  for (const name of await list(join(repo, 'objects'))) {
    if (/^(tmp_objdir-)?incoming-/.test(name) || name.startsWith('tmp_objdir-')) {
      await rm(join(repo, 'objects', name), { recursive: true, force: true });
    }
  }
}

/** Objects of commits that were made here and not accepted. Only at the start. */
async function clearOffers(repo: string): Promise<void> {
  for (const name of await list(join(repo, 'objects'))) {
    if (name.startsWith(scratchPrefix))
      await rm(join(repo, 'objects', name), { recursive: true, force: true });
  }
}

async function clearRepository(repo: string): Promise<void> {
  await clearQuarantines(repo);
  await clearOffers(repo);
  const stale = [
    ...(await list(repo)).filter(name => name.endsWith('.lock')),
    ...(await list(join(repo, 'refs'), true))
      .filter(name => name.endsWith('.lock'))
      .map(name => join('refs', name)),
    ...(await list(join(repo, 'objects/pack')))
      .filter(name => name.startsWith('tmp_'))
      .map(name => join('objects/pack', name)),
  ];
  for (const name of stale) await rm(join(repo, name), { force: true });
}

async function endStrays(paths: Paths, { uid, clock }: { uid: number; clock: Clock }): Promise<void> {
  const deadline = clock.ticks() + patience;
  for (let signal: NodeJS.Signals = 'SIGTERM'; ; signal = clock.ticks() > deadline ? 'SIGKILL' : 'SIGTERM') {
    const strays = await findStrays(paths, uid);
    if (strays.length === 0 || clock.ticks() > deadline + patience) return;
    for (const pid of strays) tryKill(pid, signal);
    await clock.sleep(50);
  }
}

/** Processes of git's user inside our repositories' folder. */
async function findStrays(paths: Paths, uid: number): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await list('/proc')).filter(name => /^\d+$/.test(name))) {
    try {
      if ((await stat(`/proc/${pid}`)).uid !== uid) continue;
      const cwd = await readlink(`/proc/${pid}/cwd`);
      const state = /^\d+ \(.*\) (.)/.exec(await readFile(`/proc/${pid}/stat`, 'latin1'))?.[1];
      if (cwd.startsWith(`${paths.repos}/`) && state !== 'Z') found.push(Number(pid));
    } catch {
      // The process ended while it was looked at.
    }
  }
  return found;
}

function tryKill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

async function list(dir: string, recursive = false): Promise<string[]> {
  try {
    return await readdir(dir, { recursive });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
