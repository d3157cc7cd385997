import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { fateOfLayer, type LayerFate } from '../explain/layer-fate.ts';
import { flatten } from '../layers/flatten.ts';
import { opaqueFolders } from '../layers/opaque.ts';
import type { LayerStore } from '../layers/store.ts';
import { appUser } from '../stack/recipe.ts';
import type { Outcome } from './build-phase.ts';
import { escapedId } from './buildpack.ts';
import { type LayersView, type LayerToml, layerDirs } from './layer-folders.ts';
import { launchOf, nothing } from './layer-launch.ts';
import type { BuildpackRecord, BuildRecord, LayerRecord } from './record.ts';
import { putLayerSboms } from './sbom.ts';
import type { WorkFolder } from './work-folder.ts';

export type ExportOptions = {
  readonly layers: LayerStore;
  readonly work: WorkFolder;
  readonly view: LayersView;
  /** The last build: where a layer without a folder comes from. */
  readonly last: BuildRecord | undefined;
  /** Told what became of each layer. */
  readonly onFate: (fate: LayerFate) => void;
};

/** Puts what a buildpack left into the store. Call when nothing of the build is mounted any more. @throws build-failed */
export async function exportBuildpack(options: ExportOptions, outcome: Outcome): Promise<BuildpackRecord> {
  const { buildpack, launch, sboms, store, inputs } = outcome;
  const layers: LayerRecord[] = [];
  for (const layer of outcome.layers) {
    if (layer.flags.launch || layer.flags.cache) layers.push(await exportLayer(options, buildpack.id, layer));
  }
  const { id, version, api, homepage } = buildpack;
  const sbom = await putLayerSboms(options, { id, sboms, layers });
  return {
    id,
    version,
    api,
    ...(homepage === undefined ? {} : { homepage }),
    layers,
    processes: launch.processes,
    labels: launch.labels,
    slices: launch.slices,
    ...(sbom ? { sbom } : {}),
    ...(store ? { store } : {}),
    ...(inputs ? { inputs } : {}),
  };
}

async function exportLayer(options: ExportOptions, id: string, layer: LayerToml): Promise<LayerRecord> {
  const { layers, view, last } = options;
  const before = last?.buildpacks
    .find(buildpack => buildpack.id === id)
    ?.layers.find(({ name }) => name === layer.name);
  const tell = (made: { written: boolean; now: DiffId | undefined }) =>
    options.onFate(fateOfLayer({ by: id, name: layer.name, before: before?.diffId, ...made }));
  if (layerDirs(view, id, layer.name).length === 0) {
    if (layer.flags.launch && !layer.flags.cache && before?.diffId && layers.has(before.diffId)) {
      tell({ written: false, now: before.diffId });
      return { ...before, flags: layer.flags, metadata: layer.metadata };
    }
    if (!layer.flags.launch) return { ...layer, launch: nothing };
    const why = layer.flags.cache
      ? 'for launch and the cache, but has no folder'
      : 'for launch but has no folder, and the last image has no layer of that name to keep';
    throw new WherryError('build-failed', `Layer ${layer.name} of ${id} is ${why}. Write it again.`);
  }
  const put = await putLayer(options, id, layer.name);
  const diffId = put ?? before?.diffId;
  tell({ written: put !== undefined, now: diffId });
  if (!diffId) throw new WherryError('failed', `Layer ${layer.name} of ${id} is lost. Push again.`);
  const root = join(layers.layerPath(diffId), 'layers', escapedId(id), layer.name);
  return { ...layer, diffId, launch: launchOf(root, `/layers/${escapedId(id)}/${layer.name}`) };
}

/** undefined: nothing was written over the restored folder, so the layer is the one it was, unread. */
async function putLayer(
  { layers, work, view }: ExportOptions,
  id: string,
  name: string,
): Promise<DiffId | undefined> {
  const [top, below] = layerDirs(view, id, name);
  const upper = join(view.upper, escapedId(id), name);
  if (top !== upper) return undefined;
  const root = work.folder(`export/${escapedId(id)}/${name}`);
  const parent = join(root, 'layers', escapedId(id));
  mkdirSync(parent, { recursive: true });
  const lower = below && !(await isOpaque(view, id, name, below)) ? below : undefined;
  if (lower && readdirSync(upper).length === 0) return undefined;
  if (lower)
    await flatten({ lower, upper, opaque: await opaqueFolders(upper, [lower]), out: join(parent, name) });
  else renameSync(upper, join(parent, name));
  return await layers.put({ dir: root, scope: 'app', origin: `${id}:${name}` });
}

/** Whether the build deleted the restored folder and made a new one. */
async function isOpaque(view: LayersView, id: string, name: string, below: string): Promise<boolean> {
  const inside = join(escapedId(id), name);
  const marked = await opaqueFolders(view.upper, [below.slice(0, -inside.length)]);
  return marked.has(inside);
}

/** What the build wrote into /workspace, as a layer over the source; undefined when it wrote nothing. */
export async function exportWorkspace(
  { layers, work }: Pick<ExportOptions, 'layers' | 'work'>,
  source: string,
): Promise<DiffId | undefined> {
  if (readdirSync(work.app.upper).length === 0) return undefined;
  const opaque = await opaqueFolders(work.app.upper, [source]);
  const root = work.folder('export/workspace');
  renameSync(work.app.upper, join(root, 'workspace'));
  const prefixed = new Set([...opaque].map(path => `workspace/${path}`));
  return await layers.put({ dir: root, scope: 'app', origin: 'build', owner: appUser, opaque: prefixed });
}
