import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';

/**
 * Takes overlayfs's opaque mark off the folders of an upper that no lower has. It marks what is renamed into place, as dpkg
 * does with every folder, although nothing is to be hidden there; over another layer that has the same folder the mark would
 * hide that one's files. Node cannot take off an extended attribute, so a fresh folder takes each one's place.
 */
export function unmarkNewFolders(upper: string, lowers: readonly string[], below = ''): void {
  for (const name of readdirSync(join(upper, below))) {
    const path = join(below, name);
    const stats = lstatSync(join(upper, path));
    if (!stats.isDirectory()) continue;
    // Below a folder that is new as a whole nothing was marked.
    if (lowers.some(lower => lstatSync(join(lower, path), { throwIfNoEntry: false })?.isDirectory()))
      unmarkNewFolders(upper, lowers, path);
    else remake(join(upper, path), stats);
  }
}

function remake(dir: string, stats: Stats): void {
  const fresh = `${dir}.wherry-new`;
  mkdirSync(fresh);
  for (const name of readdirSync(dir)) renameSync(join(dir, name), join(fresh, name));
  chownSync(fresh, stats.uid, stats.gid);
  chmodSync(fresh, stats.mode);
  rmdirSync(dir);
  renameSync(fresh, dir);
}
