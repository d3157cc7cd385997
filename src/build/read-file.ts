import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { WherryError } from '../domain/errors.ts';

const largest = 2 ** 20;

/**
 * A small file of an app or a buildpack as text; undefined when there is none. Links are not followed: what a repository
 * holds must not choose which host file is read.
 * @throws build-failed for a link, something else than a file, or more than `limit` bytes (1 MiB unless told)
 */
export function readSmallFile(file: string, name: string, limit = largest): string | undefined {
  const handle = openPlain(file, name);
  if (handle === undefined) return undefined;
  try {
    const stats = fstatSync(handle);
    if (!stats.isFile()) throw new WherryError('build-failed', `${name} is not a plain file. Make it one.`);
    if (stats.size > limit) {
      throw new WherryError('build-failed', `${name} is larger than ${limit / 1024} KiB. Make it smaller.`);
    }
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

function openPlain(file: string, name: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'ELOOP')
      throw new WherryError('build-failed', `${name} is a symbolic link. Replace it by the file itself.`);
    throw error;
  }
}
