import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { list } from '../../system/list.ts';
import { isWhiteout } from '../layers/walk.ts';
import { readToml } from '../toml.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import type { LayerFlags } from './record.ts';

/** Host folders that make up /layers in a build: what it wrote over what was restored. */
export type LayersView = {
  readonly upper: string;
  /** Lower folder with restored tomls. */
  readonly restored: string;
  /** Host folder of a restored layer, if it was. */
  readonly restoredDir: (buildpack: string, layer: string) => string | undefined;
};

export type LayerToml = {
  readonly name: string;
  readonly flags: LayerFlags;
  readonly metadata: Record<string, unknown>;
};

const schema = z.looseObject({
  types: z
    .object({
      build: z.boolean().default(false),
      launch: z.boolean().default(false),
      cache: z.boolean().default(false),
    })
    .default({ build: false, launch: false, cache: false }),
  metadata: z.record(z.string(), z.unknown()).default({}),
  ...Object.fromEntries(
    ['build', 'launch', 'cache'].map(key => [
      key,
      z.undefined({ error: 'belongs into the table "types"' }).optional(),
    ]),
  ),
});
const notLayers = new Set(['build', 'launch', 'store']);
/** Of buildpacks that speak to Wherry beyond the specification; for all others these are names like any. */
const notLayersOfExtended = new Set([...notLayers, 'inputs', 'failure']);

type LayersOwner = Pick<Buildpack, 'id' | 'extended'>;

/** Every `<layer>.toml` of a buildpack after its build, by name. @throws build-failed */
export function readLayerTomls(view: LayersView, buildpack: LayersOwner): readonly LayerToml[] {
  const { id } = buildpack;
  return tomlNames(view, buildpack).map(name => {
    const file = findFile(view, id, `${name}.toml`) ?? '';
    const toml = readToml({ file, name: `${name}.toml of ${id}`, schema });
    return {
      name,
      flags: toml?.types ?? { build: false, launch: false, cache: false },
      metadata: toml?.metadata ?? {},
    };
  });
}

/** A file in a buildpack's folder as the build sees it: written, restored or deleted. */
export function findFile(view: LayersView, id: string, name: string): string | undefined {
  for (const root of [view.upper, view.restored]) {
    const path = join(root, escapedId(id), name);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats) return isWhiteout(stats) ? undefined : path;
  }
  return undefined;
}

/** Host folders that a layer's folder is made of, the upper first; none when it does not exist. */
export function layerDirs(view: LayersView, id: string, name: string): readonly string[] {
  const upper = join(view.upper, escapedId(id), name);
  const stats = lstatSync(upper, { throwIfNoEntry: false });
  if (stats && isWhiteout(stats)) return [];
  if (stats && !stats.isDirectory())
    throw new WherryError('build-failed', `Layer ${name} of ${id} is not a folder.`);
  const below = view.restoredDir(id, name);
  return [...(stats ? [upper] : []), ...(below ? [below] : [])];
}

function tomlNames(view: LayersView, { id, extended }: LayersOwner): readonly string[] {
  const reserved = extended ? notLayersOfExtended : notLayers;
  const names = [view.upper, view.restored].flatMap(root => list(join(root, escapedId(id))));
  const layers = [...new Set(names)]
    .filter(name => name.endsWith('.toml'))
    .map(name => name.slice(0, -'.toml'.length));
  const elsewhere = layers.find(name => name === '.' || name === '..');
  if (elsewhere !== undefined)
    throw new WherryError(
      'build-failed',
      `"${elsewhere}" is no name for a layer of ${id}. Rename ${elsewhere}.toml.`,
    );
  return layers
    .filter(name => name !== '' && !reserved.has(name) && findFile(view, id, `${name}.toml`))
    .sort();
}
