import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type Sqlite from 'better-sqlite3';
import { WherryError } from '../../domain/errors.ts';
import type { Clock } from '../../system/clock.ts';
import { Database } from '../../system/sqlite.ts';

export type OnceOptions = {
  /** Folder of the lock files, shared by every Wherry on the host. */
  readonly dir: string;
  readonly name: string;
  readonly clock: Clock;
  /** Milliseconds; 20 minutes unless told. */
  readonly wait?: number;
  readonly onWait?: () => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * Work on the shared cache, one process at a time. The lock is SQLite's file lock (Node has no flock of its own): the kernel
 * lets it go when its holder dies, so there is no stale lock to tell from a live one.
 * @throws locked after `wait`
 */
export async function once<Result>(options: OnceOptions, work: () => Promise<Result>): Promise<Result> {
  mkdirSync(options.dir, { recursive: true });
  const db = new Database(join(options.dir, `${options.name}.lock`), { timeout: 0 });
  try {
    await take(db, options);
    return await work();
  } finally {
    db.close();
  }
}

async function take(db: Sqlite.Database, { clock, name, signal, ...options }: OnceOptions): Promise<void> {
  const deadline = clock.ticks() + (options.wait ?? 20 * 60_000);
  for (let told = false; ; told = true) {
    try {
      db.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    }
    if (clock.ticks() > deadline) {
      throw new WherryError(
        'locked',
        `Another Wherry on this host has been preparing ${name} for too long. Stop it or try again.`,
      );
    }
    if (!told) options.onWait?.();
    await clock.sleep(250, signal);
  }
}
