import { randomBytes } from 'node:crypto';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemUser } from '../system/system-user.ts';

/** Of the folder's name, so that a start after a crash finds it. */
export const scratchPrefix = 'offer-';

/** A fresh folder among a repository's objects that git's user may write to. */
export async function makeScratch(repo: string, user: SystemUser): Promise<string> {
  const scratch = join(repo, 'objects', `${scratchPrefix}${randomBytes(8).toString('hex')}`);
  await mkdir(scratch, { mode: 0o700 });
  await chown(scratch, user.uid, user.gid);
  return scratch;
}
