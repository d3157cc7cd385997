import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { keyBytes } from './seal.ts';

/**
 * The keys in the file, the newest first; while they are changed there are two. It lies beside the database, never in it.
 * Where neither is there a key is made: one that is lost must not be replaced, or the database would look damaged.
 */
export function loadKey(file: string, database?: string): Buffer {
  if (!existsSync(file)) {
    if (database !== undefined && existsSync(database)) throw isGone(file, database);
    saveKeys(file, randomBytes(keyBytes));
  }
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new WherryError(
      'failed',
      `Key file ${file} can be read by others (mode ${mode.toString(8)}). Run "chmod 600 ${file}", start again, and then "secrets:rotate" if any of them may have read it.`,
    );
  const keys = readFileSync(file);
  if (keys.length === 0 || keys.length % keyBytes !== 0)
    throw new WherryError(
      'failed',
      `Key file ${file} is damaged: it must hold ${keyBytes} bytes for each key. Restore it from a backup.`,
    );
  return keys;
}

/**
 * All or nothing, and on the disk when it returns: what is sealed with a key that was not kept is lost. A link stays one, to where
 * the host's owner keeps the file.
 */
export function saveKeys(link: string, keys: Buffer): void {
  const file = existsSync(link) ? realpathSync(link) : link;
  const fresh = `${file}.new`;
  writeFileSync(fresh, keys, { mode: 0o600, flush: true });
  renameSync(fresh, file);
  const dir = openSync(dirname(file), 'r');
  fsyncSync(dir);
  closeSync(dir);
}

function isGone(file: string, database: string): WherryError {
  return new WherryError(
    'failed',
    `Key file ${file} is gone, and without it nothing that ${database} holds encrypted can be read. Put it back from a backup.`,
  );
}
