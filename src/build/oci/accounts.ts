import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { isWhiteout } from '../layers/walk.ts';
import { readSmallFile } from '../read-file.ts';

/**
 * A small file below `/etc` as the stacked layers show it; undefined when there is none, or when it or /etc is a link: what an
 * image holds must not choose which host file is read.
 */
export function readEtcFile(
  name: 'passwd' | 'group',
  layers: readonly DiffId[],
  layerPath: (id: DiffId) => string,
): string | undefined {
  for (const id of layers.toReversed()) {
    const etc = join(layerPath(id), 'etc');
    const folder = lstatSync(etc, { throwIfNoEntry: false });
    if (!folder) continue;
    if (!folder.isDirectory()) return undefined;
    const handle = openSync(etc, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const file = `/proc/self/fd/${handle}/${name}`;
      const stats = lstatSync(file, { throwIfNoEntry: false });
      if (!stats) continue;
      return stats.isFile() && !isWhiteout(stats) ? readSmallFile(file, `/etc/${name}`) : undefined;
    } finally {
      closeSync(handle);
    }
  }
  return undefined;
}
