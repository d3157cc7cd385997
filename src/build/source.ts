import { chmodSync, mkdirSync } from 'node:fs';
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import type { DiffId } from '../domain/image.ts';
import type { Progress, Source } from '../domain/push.ts';
import { type AppJson, noAppJson, parseAppJson } from './app-json.ts';
import { parseJson } from './jsonc.ts';
import type { LayerStore } from './layers/store.ts';
import type { WorkFolder } from './lifecycle/work-folder.ts';
import { parseProcfile } from './procfile.ts';
import { readSmallFile } from './read-file.ts';
import { appUser } from './stack/recipe.ts';

/** Reads what the platform itself uses of the app, so that a mistake in it costs no build. @throws build-failed */
export function checkSource(dir: string, progress: Progress): AppJson {
  const procfile = readSmallFile(join(dir, 'Procfile'), 'Procfile');
  if (procfile !== undefined) for (const warning of parseProcfile(procfile).warnings) progress.warn(warning);
  checkManifest(dir);
  const text = readSmallFile(join(dir, 'app.json'), 'app.json');
  const appJson = text === undefined ? noAppJson : parseAppJson(text);
  for (const warning of appJson.warnings) progress.warn(warning);
  return appJson;
}

/** Where npm would only say that its manifest is wrong, this says where. */
function checkManifest(dir: string): void {
  const text = readSmallFile(join(dir, 'package.json'), 'package.json');
  if (text === undefined) return;
  try {
    parseJson(text);
  } catch (cause) {
    throw new WherryError('build-failed', `Invalid package.json: ${(cause as Error).message}. Correct it.`, {
      cause,
    });
  }
}

/** The checked-out tree becomes the app's layer as it is, below /workspace (or `folder`), owned by the app's user. */
export async function putSource(
  source: Source,
  layers: LayerStore,
  work: WorkFolder,
  folder = 'workspace',
): Promise<DiffId> {
  const root = work.folder('source');
  const target = join(root, folder);
  try {
    await rename(source.dir, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    mkdirSync(target);
    await cp(source.dir, target, { recursive: true, verbatimSymlinks: true });
    await rm(source.dir, { recursive: true, force: true });
  }
  // Whatever folder it was checked out into: the app's root is the same on every host.
  chmodSync(target, 0o755);
  return await layers.put({ dir: root, scope: 'app', origin: 'source', owner: appUser });
}
