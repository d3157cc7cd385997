import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Image } from '../domain/image.ts';
import { exec } from '../system/exec.ts';
import type { CommitRequest } from './builder.ts';
import { checkDisk } from './disk-watch.ts';
import { identified } from './image-id.ts';
import { opaqueFolders } from './layers/opaque.ts';
import type { LayerStore } from './layers/store.ts';
import { makeWorkFolder } from './lifecycle/work-folder.ts';

const copyTimeout = 600_000;

/**
 * The image with what an instance of it has written into the app's folder as one more layer; itself when that is nothing, or when
 * that folder is the root, where the app cannot be told from the rest.
 * @throws LimitReached for more than a build may write; build-failed for what no layer can hold
 */
export async function commitWritten(
  { app, image, written, limits, signal }: CommitRequest,
  { layers, builds }: { readonly layers: LayerStore; readonly builds: string },
): Promise<Image> {
  const place = image.workingDir.split('/').filter(part => part !== '');
  const upper = realFolder(written, place);
  if (place.length === 0 || upper === undefined || readdirSync(upper).length === 0) return image;
  const path = place.join('/');
  const lowers = image.layers.map(id => join(layers.layerPath(id), path)).filter(dir => existsSync(dir));
  const opaque = await opaqueFolders(upper, lowers);
  await checkDisk(upper, limits.disk);
  const work = await makeWorkFolder(join(builds, app));
  try {
    const root = work.folder('export/commit');
    mkdirSync(join(root, dirname(path)), { recursive: true });
    // The deletions and marks of the overlay are files and attributes of it, which come along.
    await exec('cp', ['--archive', '--no-target-directory', '--', upper, join(root, path)], {
      timeout: copyTimeout,
      signal,
    });
    const layer = await layers.put({
      ...{ dir: root, scope: 'app', origin: 'predeploy', disk: limits.disk },
      opaque: new Set([...opaque].map(name => `${path}/${name}`)),
    });
    const { id: _, ...content } = image;
    return identified({ ...content, layers: [...image.layers, layer] });
  } finally {
    await work.remove();
  }
}

/** Each part of the way is a folder: an app may have put a link to the host's files in its place. */
function realFolder(root: string, parts: readonly string[]): string | undefined {
  let dir = root;
  for (const part of parts) {
    dir = join(dir, part);
    if (part === '..' || !lstatSync(dir, { throwIfNoEntry: false })?.isDirectory()) return undefined;
  }
  return dir;
}
