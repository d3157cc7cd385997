import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

export type Entry = {
  /** Relative to the walked folder, without a leading slash. */
  readonly path: string;
  readonly stats: Stats;
};

/** Every entry below `root`, folders before what is in them, names in code unit order; links are never followed. */
export function* walk(root: string, below = ''): Generator<Entry> {
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    const stats = lstatSync(join(root, path));
    yield { path, stats };
    if (stats.isDirectory()) yield* walk(root, path);
  }
}

/** How overlayfs says "deleted here": a character device 0:0 (kernel, filesystems/overlayfs, "whiteouts and opaque directories"). */
export function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
