import { mkdir, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../system/exec.ts';
import { isMounted } from '../../system/mounts.ts';
import type { Driver, Living } from './driver.ts';
import type { InstanceFolder } from './folders.ts';

const timeout = 60_000;
/** Of its size, less than this part free is full; in any case less than a larger write. */
const little = 0.02;
const write = 2 ** 20;

/** Folder of the host that an instance's own file system is mounted on. */
export const diskAt = (folder: Pick<InstanceFolder, 'dir'>): string => join(folder.dir, 'disk');

const imageOf = (folder: Pick<InstanceFolder, 'dir'>): string => join(folder.dir, 'disk.ext4');

/** The folders of an instance, with what it writes on a file system of its own where that is limited. */
export function withDisk(folder: InstanceFolder, bytes: number | undefined): InstanceFolder {
  if (bytes === undefined) return folder;
  const at = diskAt(folder);
  return { ...folder, upper: join(at, 'upper'), work: join(at, 'work') };
}

/** A file that grows up to `bytes`, as a file system; without a journal, since it goes with its instance. */
export async function makeDisk(folder: Pick<InstanceFolder, 'dir'>, bytes: number): Promise<void> {
  const image = imageOf(folder);
  await writeFile(image, '', { mode: 0o600 });
  await truncate(image, bytes);
  await exec('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', image], { timeout });
  await mountDisk(folder);
}

/** Again after a reboot of the host. */
export async function mountDisk(folder: Pick<InstanceFolder, 'dir'>): Promise<void> {
  const at = diskAt(folder);
  if (isMounted(at)) return;
  await mkdir(at, { recursive: true, mode: 0o700 });
  await exec('mount', ['-t', 'ext4', '-o', 'loop,nosuid,nodev', imageOf(folder), at], { timeout });
}

export type DiskUse = { readonly used: number; readonly size: number; readonly free: number };

/** Undefined where it has no limit. */
export async function diskUse({ folder, record }: Living): Promise<DiskUse | undefined> {
  const limit = record.spec.limits.disk;
  if (limit === undefined || !isMounted(diskAt(folder))) return undefined;
  const { bsize, blocks, bfree, bavail, ffree } = await statfs(diskAt(folder));
  // Without room for one more file it is as full.
  return { size: limit, used: (blocks - bfree) * bsize, free: ffree === 0 ? 0 : bavail * bsize };
}

/** Tells once of a file system that fills up, and again after it had room. */
export async function checkDisk(driver: Driver, living: Living): Promise<void> {
  const use = await diskUse(living);
  if (use === undefined) return;
  const full = use.free < Math.max(use.size * little, write);
  if (full && !living.diskFull) driver.emit({ kind: 'disk', id: living.record.spec.id, limit: use.size });
  living.diskFull = full;
}
