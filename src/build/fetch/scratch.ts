import { readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Milliseconds; longer than any fetch may take. */
const oldFetch = 3_600_000;

/** A folder for one fetch below `home`; the caller removes it. */
export async function makeScratch(home: string, now: Date): Promise<string> {
  await mkdir(home, { recursive: true });
  // git's user passes through and lists nothing, whatever umask this process has.
  await chmod(home, 0o711);
  await dropOld(home, now);
  const scratch = await mkdtemp(join(home, 'fetch-'));
  await chmod(scratch, 0o711);
  return scratch;
}

/** Fetches that were cut off; younger ones may be another Wherry's at work. */
async function dropOld(home: string, now: Date): Promise<void> {
  for (const name of readdirSync(home).filter(each => each.startsWith('fetch-'))) {
    const stats = statSync(join(home, name), { throwIfNoEntry: false });
    if (stats && now.getTime() - stats.mtimeMs > oldFetch)
      await rm(join(home, name), { recursive: true, force: true });
  }
}
