import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  constants,
  lchownSync,
  openSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { LimitReached } from '../../domain/build-limits.ts';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId, UserIds } from '../../domain/image.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { createBreather } from './breather.ts';
import { padding, tarHeader } from './tar-header.ts';
import { isWhiteout, walk } from './walk.ts';

export type Digest = {
  readonly diffId: DiffId /** Bytes of file content. */;
  readonly size: number;
  readonly entries: number;
};

export type DigestOptions = {
  /** Gives everything to this user on the way: one walk instead of two. */
  readonly owner?: UserIds;
  /** Folders (relative) that hide what lies below them in lower layers. */
  readonly opaque?: ReadonlySet<string>;
  /**
   * Bytes that files may show beyond what the disk holds of them, as holes and further hard links do: each is read all the same.
   * Any unless told.
   */
  readonly disk?: number;
};

/**
 * The diffID of a folder's content: sha256 over the tar stream it would make, without writing that stream. Sockets and fifos
 * are deleted, hard links count as separate files.
 * @throws build-failed for a device file; LimitReached for more than `disk`, before the file that is too much is read
 */
export async function digestOf(root: string, options: DigestOptions = {}): Promise<Digest> {
  const hash = createHash('sha256');
  const breathe = createBreather();
  const count = counterOf(options.disk);
  let size = 0;
  let entries = 0;
  for (const { path, stats } of walk(root)) {
    await breathe();
    if (stats.isSocket() || stats.isFIFO()) {
      rmSync(join(root, path));
      continue;
    }
    if (options.owner) give(join(root, path), stats, options.owner);
    entries += 1;
    if (stats.isFile()) count(stats);
    size += await add(hash, { root, path, stats, options, breathe });
  }
  hash.update(Buffer.alloc(1024));
  return { diffId: `sha256:${hash.digest('hex')}`, size, entries };
}

/** Nobody can stop a digest: what a disk limit does not see must not keep one busy for days. */
function counterOf(limit = Number.POSITIVE_INFINITY): (stats: Stats) => void {
  const seen = new Set<number>();
  let beyond = 0;
  return ({ size, blocks, nlink, ino }) => {
    const held = seen.has(ino) ? 0 : blocks * blockSize;
    if (nlink > 1) seen.add(ino);
    beyond += Math.max(0, size - held);
    if (beyond > limit) throw new LimitReached({ property: 'disk', limit });
  };
}

/** Of `Stats.blocks`, whatever the file system's own. */
const blockSize = 512;

type Added = {
  readonly root: string;
  readonly path: string;
  readonly stats: Stats;
  readonly options: DigestOptions;
  readonly breathe: () => Promise<void>;
};

async function add(hash: Hash, { root, path, stats, options, breathe }: Added): Promise<number> {
  const ids = options.owner ?? { uid: stats.uid, gid: stats.gid };
  const common = { mode: stats.mode, uid: ids.uid, gid: ids.gid, size: 0 };
  if (stats.isDirectory()) {
    hash.update(tarHeader({ ...common, path: `${path}/`, type: 'directory' }));
    if (options.opaque?.has(path)) hash.update(tarHeader(marker(`${path}/.wh..wh..opq`)));
  } else if (stats.isSymbolicLink()) {
    const linkTarget = readlinkSync(join(root, path));
    hash.update(tarHeader({ ...common, mode: 0o777, path, type: 'symlink', linkTarget }));
  } else if (isWhiteout(stats)) {
    hash.update(tarHeader(marker(join(dirname(path), `.wh.${basename(path)}`))));
  } else if (stats.isFile()) {
    hash.update(tarHeader({ ...common, path, type: 'file', size: stats.size }));
    await addContent(hash, join(root, path), stats.size, breathe);
    return stats.size;
  } else {
    throw new WherryError(
      'build-failed',
      `${quoteForPeople(path)} is a device file. Remove it from the app or its build.`,
    );
  }
  return 0;
}

const chunk = Buffer.alloc(1 << 20);

/** Synchronous reads share one buffer: nothing else runs between a read and its update. */
async function addContent(
  hash: Hash,
  file: string,
  size: number,
  breathe: () => Promise<void>,
): Promise<void> {
  if (size === 0) return;
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    for (let left = size; left > 0; ) {
      const count = readSync(handle, chunk, 0, Math.min(left, chunk.length), null);
      if (count === 0) throw new WherryError('failed', `${file} changed while it was read. Build again.`);
      hash.update(chunk.subarray(0, count));
      left -= count;
      if (left > 0) await breathe();
    }
  } finally {
    closeSync(handle);
  }
  hash.update(padding(size));
}

function marker(path: string) {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0 } as const;
}

function give(file: string, stats: Stats, owner: UserIds): void {
  if (stats.uid !== owner.uid || stats.gid !== owner.gid) lchownSync(file, owner.uid, owner.gid);
}
