import { chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import type { LayerStore } from '../layers/store.ts';
import { appUser } from '../stack/recipe.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import type { BuildRecord, LayerRecord } from './record.ts';

/** A layer folder that a build finds as the last one left it. */
export type Restored = {
  readonly buildpack: string;
  readonly layer: LayerRecord;
  /** Host folder of the layer. */
  readonly dir: string;
};

/**
 * Writes what comes back from the last build into the lower folder of /layers: store.toml always, a layer's toml without its
 * `types` table if it is for launch or the cache, its folder if it is cached (CNB Platform API, "Restore"). The folders come
 * as overlay lowers, so restoring costs the same for any size; the paths of these are returned.
 */
export function restore(options: {
  record: BuildRecord | undefined;
  group: readonly Buildpack[];
  layers: LayerStore;
  /** Host folder. */
  into: string;
}): { restored: readonly Restored[]; lowers: readonly string[] } {
  const restored: Restored[] = [];
  const lowers: string[] = [];
  for (const { id } of options.group) {
    const dir = join(options.into, escapedId(id));
    mkdirSync(dir, { mode: 0o755 });
    own(dir);
    const before = options.record?.buildpacks.find(buildpack => buildpack.id === id);
    if (before?.store) write(join(dir, 'store.toml'), { metadata: before.store });
    for (const layer of before?.layers ?? []) {
      const { launch, build, cache } = layer.flags;
      // Without the layer a buildpack that trusts in its toml would keep what is not there any more.
      if (!layer.diffId || !options.layers.has(layer.diffId)) continue;
      if (cache) {
        const root = options.layers.layerPath(layer.diffId);
        lowers.push(join(root, 'layers'));
        restored.push({ buildpack: id, layer, dir: join(root, 'layers', escapedId(id), layer.name) });
        write(join(dir, `${layer.name}.toml`), { metadata: layer.metadata });
      } else if (launch && !build) {
        write(join(dir, `${layer.name}.toml`), { metadata: layer.metadata });
      }
    }
    if (before?.sbom && options.layers.has(before.sbom))
      restoreSboms(options.layers.layerPath(before.sbom), dir);
  }
  return { restored, lowers };
}

/** Bills of materials of the layers whose toml came back. */
function restoreSboms(from: string, dir: string): void {
  for (const file of readdirSync(from)) {
    if (!existsSync(join(dir, `${file.slice(0, file.lastIndexOf('.sbom.'))}.toml`))) continue;
    copyFileSync(join(from, file), join(dir, file));
    own(join(dir, file));
  }
}

function write(file: string, content: object): void {
  writeFileSync(file, stringify(content));
  own(file);
}

function own(path: string): void {
  chownSync(path, appUser.uid, appUser.gid);
}
