import {
  chmodSync,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { createBreather } from './breather.ts';
import { isWhiteout } from './walk.ts';

export type Flatten = {
  /** A layer's folder as it was restored; never changed: what it gives to `out` is hard-linked. */
  readonly lower: string;
  /** What a build wrote over it; taken apart. */
  readonly upper: string;
  /** Folders of `upper` that hide what `lower` holds there. */
  readonly opaque: ReadonlySet<string>;
  readonly out: string;
};

/** Makes one folder of the two that an overlay shows as one, without copying content: layers are immutable, so links do. */
export async function flatten(options: Flatten): Promise<void> {
  await merge({ ...options, breathe: createBreather() }, '');
}

type Merging = Flatten & { readonly breathe: () => Promise<void> };

async function merge(merging: Merging, path: string): Promise<void> {
  const { lower, upper, out, opaque, breathe } = merging;
  makeFolder(join(out, path), lstatSync(join(upper, path)));
  const above = new Set(readdirSync(join(upper, path)));
  for (const name of above) {
    await breathe();
    const inside = path === '' ? name : `${path}/${name}`;
    const stats = lstatSync(join(upper, inside));
    if (isWhiteout(stats)) continue;
    const merges = stats.isDirectory() && !opaque.has(inside) && isFolder(join(lower, inside));
    if (merges) await merge(merging, inside);
    else renameSync(join(upper, inside), join(out, inside));
  }
  for (const name of readdirSync(join(lower, path))) {
    if (!above.has(name)) await linkTree(join(lower, path, name), join(out, path, name), breathe);
  }
}

async function linkTree(from: string, to: string, breathe: () => Promise<void>): Promise<void> {
  await breathe();
  const stats = lstatSync(from);
  if (!stats.isDirectory()) return link(from, to);
  makeFolder(to, stats);
  for (const name of readdirSync(from)) await linkTree(join(from, name), join(to, name), breathe);
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    // Another file system, or as many links as one allows.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EXDEV' && code !== 'EMLINK') throw error;
    const { uid, gid, mode } = lstatSync(from);
    copyFileSync(from, to);
    lchownSync(to, uid, gid);
    chmodSync(to, mode & 0o7777);
  }
}

function makeFolder(path: string, { mode, uid, gid }: Stats): void {
  mkdirSync(path, { recursive: true });
  lchownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
