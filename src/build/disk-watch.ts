import { statfsSync } from 'node:fs';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';
import { exec } from '../system/exec.ts';

/** Milliseconds between two looks. */
const interval = 2000;

/** Watches what a build writes below `dir` and tells once it is more than `limit` bytes. Returns the way to stop. */
export function watchDisk(options: {
  dir: string;
  limit: number;
  clock: Clock;
  onFull: (error: WherryError) => void;
}): () => void {
  const controller = new AbortController();
  const look = async () => {
    for (;;) {
      await options.clock.sleep(interval, controller.signal);
      if ((await usedBelow(options.dir)) <= options.limit) continue;
      options.onFull(tooMuch(options.limit));
      return;
    }
  };
  // Stopping it rejects the sleep; a failed look is no reason to fail a build.
  look().catch(() => {});
  return () => controller.abort();
}

/** @throws build-failed when more than `limit` bytes lie below `dir` */
export async function checkDisk(dir: string, limit: number): Promise<void> {
  if ((await usedBelow(dir)) > limit) throw tooMuch(limit);
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

function tooMuch(limit: number): WherryError {
  return new WherryError(
    'build-failed',
    `The build wrote more than its disk limit of ${formatBytes(limit)}. Let it write less, or raise the limit.`,
  );
}
