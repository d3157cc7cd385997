import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { isWhiteout } from '../layers/walk.ts';

/** Bytes; dpkg's status file of a big image has some. */
const largest = 32 * 2 ** 20;

/**
 * A file as the stacked layers show it; undefined when there is none, or when it or a folder above it is a link: what an image
 * holds must not choose which file of the host is read. Nothing writes to a layer, so that what was looked at stays.
 */
export function readInside(
  layers: readonly DiffId[],
  layerPath: (id: DiffId) => string,
  path: string,
): string | undefined {
  const parts = path.split('/');
  for (const id of layers.toReversed()) {
    const root = layerPath(id);
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const file = join(root, ...parts.slice(0, depth));
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (!stats) break;
      if (depth === parts.length)
        return stats.isFile() && !isWhiteout(stats) && stats.size <= largest
          ? readFileSync(file, 'utf8')
          : undefined;
      if (!stats.isDirectory()) return undefined;
    }
  }
  return undefined;
}
