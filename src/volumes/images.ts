import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, rmdir, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { exec } from '../system/exec.ts';
import { faultPoint } from '../system/fault.ts';
import { isMounted } from '../system/mounts.ts';

/** Bytes of a volume that has a size. */
export type VolumeRoom = {
  /** What it may take of the disk. */
  readonly size: number;
  readonly used: number;
  /** What can still be written: the file system takes a little for itself. */
  readonly free: number;
};

/** Volumes of a size: each a file system in a file that grows up to it, mounted where the volume's folder is. */
export type VolumeImages = ReturnType<typeof createVolumeImages>;

const timeout = 60_000;
/** Smaller than this, a file system is little else than its journal. */
const smallest = 16 * 2 ** 20;
const ending = '.ext4';
const unfinished = '.new';

export function createVolumeImages({ images, storage }: { images: string; storage: string }) {
  const imageOf = (name: string) => join(images, `${name}${ending}`);
  const folderOf = (name: string) => join(storage, name);
  const has = (name: string): boolean => name !== '' && !name.includes('/') && existsSync(imageOf(name));

  const mount = async (name: string): Promise<void> => {
    const folder = folderOf(name);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await exec('mount', ['-t', 'ext4', '-o', 'loop,nosuid,nodev', imageOf(name), folder], { timeout });
    // For who wants an empty folder; a repair would make it again.
    await rmdir(join(folder, 'lost+found')).catch(() => {});
  };

  /** The loop device of it, also while nothing but an instance holds it. */
  const deviceOf = async (name: string): Promise<string | undefined> => {
    const { stdout } = await exec(
      'losetup',
      ['--noheadings', '--output', 'NAME', '--associated', imageOf(name)],
      {
        timeout,
      },
    );
    return stdout.trim().split('\n')[0] || undefined;
  };

  const growWhileMounted = async (name: string): Promise<boolean> => {
    const device = await deviceOf(name);
    if (device === undefined) return false;
    await exec('losetup', ['--set-capacity', device], { timeout });
    // A host may not allow it.
    return await exec('resize2fs', [device], { timeout }).then(
      () => true,
      () => false,
    );
  };

  const growUnmounted = async (name: string): Promise<void> => {
    if (isMounted(folderOf(name))) await exec('umount', [folderOf(name)], { timeout });
    try {
      if ((await deviceOf(name)) !== undefined)
        throw new WherryError('conflict', `Storage ${name} is in use, and this host lets none grow then.`, {
          hint: 'Stop the apps that mount it first: ps:stop APP',
        });
      // 1 says that it put something right.
      await exec('e2fsck', ['-f', '-p', imageOf(name)], { timeout }).catch(error => {
        if ((error as { exitCode?: unknown }).exitCode !== 1) throw error;
      });
      await exec('resize2fs', [imageOf(name)], { timeout });
    } finally {
      await mount(name);
    }
  };

  return {
    has,
    /** Whether what is in it can be seen: not before it is mounted after a boot. */
    isReady: (name: string): boolean => isMounted(folderOf(name)),
    /** Its file system, empty, mounted and belonging to a user. @throws invalid, conflict, unavailable when the disk is too small */
    async create(name: string, bytes: number, owner: number): Promise<void> {
      if (name.includes('/'))
        throw new WherryError('invalid', `Storage ${name} is a part of other storage. Give that a size.`);
      const inside = await readdir(folderOf(name)).catch(() => []);
      if (has(name) || inside.length > 0)
        throw new WherryError('conflict', `Storage ${name} is there already.`, {
          hint: has(name) ? `storage:set ${name} size ${formatBytes(bytes)}` : `storage:info ${name}`,
        });
      if (bytes < smallest)
        throw new WherryError(
          'invalid',
          `A size of ${formatBytes(bytes)} is too small. Give ${formatBytes(smallest)} or more.`,
        );
      await mkdir(images, { recursive: true, mode: 0o700 });
      await requireDisk(images, bytes);
      const image = `${imageOf(name)}${unfinished}`;
      await writeFile(image, '', { mode: 0o600 });
      await truncate(image, bytes);
      await exec('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', `root_owner=${owner}:${owner}`, image], {
        timeout,
      });
      await rename(image, imageOf(name));
      await faultPoint('volume:made');
      await mount(name);
    },
    /** @throws invalid when it would shrink, conflict when it is in use and the host lets none grow then, unavailable */
    async grow(name: string, bytes: number): Promise<void> {
      const { size } = await stat(imageOf(name));
      if (bytes < size)
        throw new WherryError(
          'invalid',
          `Storage ${name} has a size of ${formatBytes(size)} and cannot shrink. Make another and copy what is in it.`,
        );
      await requireDisk(images, bytes - size);
      await truncate(imageOf(name), bytes);
      if (await growWhileMounted(name)) return;
      try {
        await growUnmounted(name);
      } catch (error) {
        // What the file system does not fill need not be there: it would be taken for its size.
        await truncate(imageOf(name), size);
        throw error;
      }
    },
    /** undefined where it has no size. */
    async room(name: string): Promise<VolumeRoom | undefined> {
      if (!has(name)) return undefined;
      const { size } = await stat(imageOf(name));
      if (!isMounted(folderOf(name))) return { size, used: 0, free: 0 };
      const { bsize, blocks, bfree, bavail } = await statfs(folderOf(name));
      return { size, used: (blocks - bfree) * bsize, free: bavail * bsize };
    },
    /** Nothing is left of it on the disk once the last instance that saw it is gone. */
    async remove(name: string): Promise<void> {
      if (isMounted(folderOf(name))) await exec('umount', ['--lazy', folderOf(name)], { timeout });
      await faultPoint('volume:unmounted');
      // Its folder first: without its image it would be taken for storage that has no size.
      await rm(folderOf(name), { recursive: true, force: true });
      await rm(imageOf(name), { force: true });
    },
    /** After a boot or a crash: mounts what is not, forgets what was half made. Tells of what could not be mounted. */
    async restore(failed: (name: string, error: unknown) => void): Promise<void> {
      for (const file of await readdir(images).catch(() => [])) {
        if (file.endsWith(unfinished)) await rm(join(images, file));
        if (!file.endsWith(ending)) continue;
        const name = file.slice(0, -ending.length);
        if (!isMounted(folderOf(name))) await mount(name).catch(error => failed(name, error));
      }
    },
    names: async (): Promise<readonly string[]> =>
      (await readdir(images).catch(() => []))
        .filter(file => file.endsWith(ending))
        .map(file => file.slice(0, -ending.length))
        .sort(),
  };
}

/** @throws unavailable */
async function requireDisk(folder: string, bytes: number): Promise<void> {
  const { bsize, bavail } = await statfs(existsSync(folder) ? folder : dirname(folder));
  if (bytes <= bavail * bsize) return;
  throw new WherryError(
    'unavailable',
    `The disk has ${formatBytes(bavail * bsize)} free, less than ${formatBytes(bytes)}. Give a smaller size, or make room.`,
  );
}
