import { statfsSync } from 'node:fs';
import { LimitReached } from '../domain/build-limits.ts';
import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';
import { exec } from '../system/exec.ts';

/** Milliseconds between two looks. */
const interval = 2000;

/** Watches what a build writes below `dir` and tells once it is more than `limit` bytes, and `spare`. Returns the way to stop. */
export function watchDisk(options: {
  dir: string;
  limit: number;
  /** Bytes that lie there and are not the build's. */
  spare?: number;
  clock: Clock;
  onFull: (error: WherryError) => void;
}): () => void {
  const { dir, limit, spare = 0 } = options;
  const controller = new AbortController();
  const look = async () => {
    for (;;) {
      await options.clock.sleep(interval, controller.signal);
      if ((await usedBelow(dir)) <= limit + spare) continue;
      options.onFull(new LimitReached({ property: 'disk', limit }));
      return;
    }
  };
  // Stopping it rejects the sleep; a failed look is no reason to fail a build.
  look().catch(() => {});
  return () => controller.abort();
}

/** @throws LimitReached when more than `limit` bytes, and `spare`, lie below `dir` */
export async function checkDisk(dir: string, limit: number, spare = 0): Promise<void> {
  if ((await usedBelow(dir)) > limit + spare) throw new LimitReached({ property: 'disk', limit });
}

/** Bytes below which a file system counts as full. */
const nothingLeft = 4 * 2 ** 20;

/** A failure for want of disk as a sentence that says so; any other error as it is. `dir` lies on the builds' file system. */
export function explainFull(error: unknown, dir: string): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const { bavail, bsize } = statfsSync(dir);
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && bavail * bsize > nothingLeft) return error;
  return new WherryError(
    'build-failed',
    'The disk of this host is full, so the build was given up. Free space, then push again.',
    { cause: error },
  );
}

async function usedBelow(dir: string): Promise<number> {
  // Files come and go under du's feet: it then ends with 1 and still prints the sum.
  const { stdout } = await exec('du', ['--summarize', '--one-file-system', '--block-size=1', dir]).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  );
  return Number.parseInt(stdout, 10) || 0;
}
