import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import { flatten } from '../layers/flatten.ts';
import { opaqueFolders } from '../layers/opaque.ts';
import type { LayerStore } from '../layers/store.ts';
import { appUser } from '../stack/recipe.ts';
import { matchPath } from './glob.ts';
import type { WorkFolder } from './work-folder.ts';

export type AppParts = {
  readonly source: DiffId;
  readonly built?: DiffId | undefined;
  readonly slices: readonly (readonly string[])[];
  readonly layers: LayerStore;
  readonly work: WorkFolder;
};

/**
 * The app's layers: as pushed and what the build wrote over it or, where buildpacks ask for slices, one for each of them and
 * one for the rest (CNB Platform API, "Slices"), so that what changes seldom keeps its layer.
 */
export async function putApp(parts: AppParts): Promise<readonly DiffId[]> {
  const { source, built, slices, layers, work } = parts;
  if (slices.length === 0) return built ? [source, built] : [source];
  const whole = await mergeApp(parts);
  const ids: DiffId[] = [];
  for (const [index, patterns] of slices.entries()) {
    const root = work.folder(`export/slice-${index}`);
    slice(whole, join(root, 'workspace'), patterns);
    ids.push(await layers.put({ dir: root, scope: 'app', origin: 'slice', owner: appUser }));
  }
  const root = dirname(whole);
  return [...ids, await layers.put({ dir: root, scope: 'app', origin: 'source', owner: appUser })];
}

/** Moves what matches from one folder to the other; a folder that matches goes with all that is in it, links as links. */
export function slice(from: string, to: string, patterns: readonly string[]): void {
  mkdirLike(from, to);
  const wanted = patterns.flatMap(insidePattern);
  const visit = (below: string) => {
    for (const name of readdirSync(join(from, below)).sort()) {
      const path = below === '' ? name : `${below}/${name}`;
      const source = join(from, path);
      if (wanted.some(pattern => pattern === '.' || matchPath(pattern, path))) {
        makeParents(from, to, dirname(path));
        renameSync(source, join(to, path));
      } else if (lstatSync(source).isDirectory()) {
        visit(path);
      }
    }
  };
  visit('');
}

/** A pattern as one on paths below the app's folder; none for what lies outside. */
function insidePattern(pattern: string): readonly string[] {
  const path = posix.normalize(posix.isAbsolute(pattern) ? pattern : `/workspace/${pattern}`);
  const relative = posix.relative('/workspace', path);
  if (relative === '') return ['.'];
  return relative === '..' || relative.startsWith('../') ? [] : [relative];
}

async function mergeApp({ source, built, layers, work }: AppParts): Promise<string> {
  const lower = join(layers.layerPath(source), 'workspace');
  const upper = join(work.folder('export/merge'), 'upper');
  // Attributes of the overlay mark folders that replace others.
  if (built) await exec('cp', ['-a', '--', join(layers.layerPath(built), 'workspace'), upper]);
  else mkdirLike(lower, upper);
  const out = join(work.folder('export/rest'), 'workspace');
  await flatten({ lower, upper, opaque: await opaqueFolders(upper, [lower]), out });
  return out;
}

function makeParents(from: string, to: string, path: string): void {
  if (path === '.' || lstatSync(join(to, path), { throwIfNoEntry: false })) return;
  makeParents(from, to, dirname(path));
  mkdirLike(join(from, path), join(to, path));
}

function mkdirLike(model: string, path: string): void {
  const { uid, gid, mode } = lstatSync(model);
  mkdirSync(path);
  lchownSync(path, uid, gid);
  chmodSync(path, mode & 0o7777);
}
