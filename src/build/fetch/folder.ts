import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import type { LayerStore } from '../layers/store.ts';
import { appUser } from '../stack/recipe.ts';

/** A folder of this host as a layer of the data directory, as it is now. @throws not-found when it holds no buildpack */
export async function copyFolder(
  path: string,
  { layers, tmp }: { layers: LayerStore; tmp: string },
): Promise<DiffId> {
  if (!existsSync(join(path, 'bin')))
    throw new WherryError('not-found', `Folder ${path} holds no buildpack: it has no bin/. Name another.`);
  await mkdir(tmp, { recursive: true });
  const copy = await mkdtemp(join(tmp, 'buildpack-'));
  await cp(path, copy, { recursive: true, verbatimSymlinks: true });
  await exec('chmod', ['-R', 'u=rwX,go=rX', copy]);
  return await layers.put({ dir: copy, scope: 'app', origin: path, owner: appUser });
}
