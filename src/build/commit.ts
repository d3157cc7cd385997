import { existsSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { Image } from '../domain/image.ts';
import { exec } from '../system/exec.ts';
import type { CommitRequest } from './builder.ts';
import { checkDisk } from './disk-watch.ts';
import { identified } from './image-id.ts';
import { opaqueFolders } from './layers/opaque.ts';
import type { LayerStore } from './layers/store.ts';
import { makeWorkFolder } from './lifecycle/work-folder.ts';

const copyTimeout = 600_000;

/** At the root of an image: the system's own, where programs leave what is no part of an app. */
const system = new Set([
  ...['bin', 'boot', 'dev', 'etc', 'home', 'lib', 'lib32', 'lib64', 'libx32', 'media', 'mnt', 'proc', 'root'],
  ...['run', 'sbin', 'sys', 'tmp', 'usr', 'var'],
]);

/**
 * The image with what an instance of it has written into the app's folder as one more layer; itself when that is nothing. Where
 * that folder is the root, the app is what is beside the system's folders.
 * @throws LimitReached for more than a build may write; build-failed for what no layer can hold
 */
export async function commitWritten(
  { app, image, written, limits, signal }: CommitRequest,
  { layers, builds }: { readonly layers: LayerStore; readonly builds: string },
): Promise<Image> {
  const place = image.workingDir.split('/').filter(part => part !== '');
  const upper = realFolder(written, place);
  const names =
    upper === undefined ? [] : readdirSync(upper).filter(name => place.length > 0 || !system.has(name));
  if (upper === undefined || names.length === 0) return image;
  const path = place.join('/');
  const lowers = image.layers.map(id => join(layers.layerPath(id), path)).filter(dir => existsSync(dir));
  const opaque = await opaqueFolders(upper, lowers);
  const isKept = (name: string) => names.includes(name.split('/')[0] ?? '');
  await checkDisk(upper, limits.disk);
  const work = await makeWorkFolder(join(builds, app));
  try {
    const root = work.folder('export/commit');
    mkdirSync(join(root, dirname(path)), { recursive: true });
    const how = { timeout: copyTimeout, signal };
    // The deletions and marks of the overlay are files and attributes of it, which come along.
    if (place.length > 0)
      await exec('cp', ['--archive', '--no-target-directory', '--', upper, join(root, path)], how);
    else
      await exec(
        'cp',
        ['--archive', '--target-directory', root, '--', ...names.map(name => join(upper, name))],
        how,
      );
    const layer = await layers.put({
      ...{ dir: root, scope: 'app', origin: 'predeploy', disk: limits.disk },
      opaque: new Set([...opaque].filter(isKept).map(name => posix.join(path, name))),
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
