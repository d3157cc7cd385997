import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The key of this data directory for hashes of config values in build records. It is no key to any secret: losing it only
 * means that the next build of each app reuses nothing.
 */
export function loadRecordKey(builds: string): Buffer {
  const file = join(builds, '.key');
  try {
    writeFileSync(file, randomBytes(32), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file);
}
