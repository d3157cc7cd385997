import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';

export type Entry = {
  /** Relative to the walked folder, without a leading slash. */
  readonly path: string;
  readonly stats: Stats;
};

/** What Node gives in the place of bytes that are not UTF-8: such a name leads nowhere, or to another file. */
const noCharacter = '\ufffd';

/**
 * Every entry below `root`, folders before what is in them, names in code unit order; links are never followed.
 * @throws build-failed at a name that is not UTF-8
 */
export function* walk(root: string, below = ''): Generator<Entry> {
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = below === '' ? name : `${below}/${name}`;
    if (name.includes(noCharacter))
      throw new WherryError(
        'build-failed',
        `${quoteForPeople(path)} is not named in UTF-8. Rename it in the app or its build.`,
      );
    const stats = lstatSync(join(root, path));
    yield { path, stats };
    if (stats.isDirectory()) yield* walk(root, path);
  }
}

/** How overlayfs says "deleted here": a character device 0:0 (kernel, filesystems/overlayfs, "whiteouts and opaque directories"). */
export function isWhiteout(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
