import {
  chmodSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { must, run } from './run.ts';

/** A disk of a test's own: an image in a file, behind a loop device. */
export type SmallDisk = {
  /** A folder on it. */
  readonly dir: string;
  /** Takes all of its room but `left` bytes. */
  fill(left?: number): Promise<void>;
  /** Takes all of its inodes. */
  fillInodes(): void;
  /** Gives back what `fill` and `fillInodes` took. */
  free(): void;
  /** An error of the file system: from now on it can only be read, until `repair`. */
  turnReadOnly(): Promise<void>;
  isReadOnly(): boolean;
  /** Another disk in its place, with what was on it, checked. */
  repair(): Promise<void>;
  close(): Promise<void>;
};

export async function createSmallDisk({
  bytes,
  inodes,
}: {
  bytes: number;
  inodes?: number;
}): Promise<SmallDisk> {
  const base = mkdtempSync(join(tmpdir(), 'wherry-disk-'));
  const image = join(base, 'image');
  const mounted = join(base, 'disk');
  const dir = join(mounted, 'w');
  const ballast = join(mounted, 'ballast');
  // The users that own repositories and run the edge pass through.
  chmodSync(base, 0o711);
  mkdirSync(mounted);
  truncate(image, bytes);
  const few = inodes === undefined ? [] : ['-N', String(inodes)];
  await must('mkfs.ext4', ['-q', '-F', '-m', '0', ...few, image]);
  let copies = 0;
  const mount = (file: string) => must('mount', ['-o', 'loop,errors=remount-ro', file, mounted]);
  await mount(image);
  mkdirSync(dir, { mode: 0o711 });
  return {
    dir,
    async fill(left = 0) {
      mkdirSync(ballast, { recursive: true });
      const { bavail, bsize } = statfsSync(mounted);
      await run('fallocate', ['-l', String(bavail * bsize - left), join(ballast, 'much')]);
      if (left > 0) return;
      // Blocks for the tree of extents, and the last ones.
      for (let at = 0; writes(join(ballast, `last-${at}`), 4096); at++);
    },
    fillInodes() {
      mkdirSync(ballast, { recursive: true });
      for (let at = 0; writes(join(ballast, `empty-${at}`), 0); at++);
    },
    free: () => rmSync(ballast, { recursive: true, force: true }),
    async turnReadOnly() {
      const device = (await must('findmnt', ['-no', 'SOURCE', mounted])).trim();
      writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
    },
    isReadOnly: () => !writes(join(mounted, 'probe'), 1),
    async repair() {
      const copy = `${image}-${++copies}`;
      await must('cp', ['--sparse=always', image, copy]);
      await must('umount', ['-l', mounted]);
      await run('e2fsck', ['-f', '-p', copy]);
      await mount(copy);
    },
    async close() {
      await run('umount', ['-l', mounted]);
      rmSync(base, { recursive: true, force: true });
    },
  };
}

function truncate(file: string, length: number): void {
  const opened = openSync(file, 'a');
  ftruncateSync(opened, length);
  closeSync(opened);
}

function writes(file: string, length: number): boolean {
  try {
    writeFileSync(file, Buffer.alloc(length));
    return true;
  } catch {
    return false;
  }
}
