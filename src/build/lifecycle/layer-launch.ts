import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readFolder } from '../read-file.ts';
import { pathChanges, readEnvFolder } from './environment.ts';
import type { ForType, LayerLaunch } from './record.ts';

export const nothing: LayerLaunch = { paths: [], env: [], programs: [], profiles: [] };

/** What a layer does at launch; `dir` is it on the host, `inside` in the container. */
export function launchOf(dir: string, inside: string): LayerLaunch {
  const folder = (name: string) => readEnvFolder([dir], name, { inside });
  const types = readFolder(dir, 'env.launch').folders.toSorted();
  return {
    paths: pathChanges('launch', [dir], inside),
    env: [
      ...folder('env'),
      ...folder('env.launch'),
      ...types.flatMap(type => folder(`env.launch/${type}`).map(change => ({ ...change, type }))),
    ],
    programs: filesIn(dir, inside, 'exec.d'),
    profiles: filesIn(dir, inside, 'profile.d'),
  };
}

/** Files of a folder, then those of its folders, which are for the process type that they are named for. */
function filesIn(dir: string, inside: string, name: string): readonly ForType<{ readonly path: string }>[] {
  const found = (folder: string) =>
    list(join(dir, folder))
      // A link is followed in the container alone, where it leads to nothing of the host.
      .filter(entry => entry.isFile() || entry.isSymbolicLink())
      .map(entry => ({ path: `${inside}/${folder}/${entry.name}` }));
  const types = list(join(dir, name)).filter(entry => entry.isDirectory());
  return [
    ...found(name),
    ...types.flatMap(({ name: type }) => found(`${name}/${type}`).map(file => ({ ...file, type }))),
  ];
}

/** By name; nothing for a folder that is a link, which could lead out of the layer. */
function list(dir: string): readonly Dirent[] {
  if (!lstatSync(dir, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(dir, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
}
