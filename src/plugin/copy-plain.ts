import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WherryError } from '../domain/errors.ts';

const most = { bytes: 256 * 2 ** 20, entries: 50_000 };

/**
 * Copies files and folders, nothing else: what a link or a device would lead to is never read. Everybody may read the copy, its
 * owner alone write it. Links that npm makes for programs are left out.
 * @throws invalid for a link, a device, or too much of all
 */
export async function copyPlain(from: string, to: string): Promise<void> {
  const left = { ...most };
  const copy = async (source: string, target: string): Promise<void> => {
    left.entries -= 1;
    const stats = await lstat(source);
    left.bytes -= stats.isFile() ? stats.size : 0;
    if (left.entries < 0 || left.bytes < 0)
      throw new WherryError('invalid', 'It has more than 256 MiB or 50000 files, which no plugin needs.');
    if (stats.isFile()) return await copyFile(source, target, (stats.mode & 0o111) !== 0);
    if (!stats.isDirectory())
      throw new WherryError(
        'invalid',
        `${source} is neither a file nor a folder. A plugin may have no links.`,
      );
    await mkdir(target, { mode: 0o755 });
    for (const name of await readdir(source))
      if (!isLeftOut(name)) await copy(join(source, name), join(target, name));
  };
  await copy(from, to);
}

function isLeftOut(name: string): boolean {
  return name === '.bin' || name === '.git' || name === '.npm' || name === '.package-lock.json';
}

async function copyFile(source: string, target: string, runs: boolean): Promise<void> {
  const [read, write] = [
    await open(source, constants.O_RDONLY | constants.O_NOFOLLOW),
    await open(target, 'wx', runs ? 0o755 : 0o644),
  ];
  await pipeline(read.createReadStream(), write.createWriteStream());
}
