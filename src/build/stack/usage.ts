import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { list } from '../../system/list.ts';

type Usage = { readonly data: string; readonly layers: readonly DiffId[] };

/** Tells the other data directories of this host which layers of the shared cache the releases of this one hold. */
export function writeUsage(dir: string, tag: string, usage: Usage): void {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${tag}.json`);
  writeFileSync(`${file}.tmp`, JSON.stringify(usage));
  renameSync(`${file}.tmp`, file);
}

/** Layers that releases of any data directory hold; what a deleted one had noted is forgotten. */
export function layersInUse(dir: string): ReadonlySet<DiffId> {
  const used = new Set<DiffId>();
  for (const name of list(dir).filter(entry => entry.endsWith('.json'))) {
    const { data, layers } = JSON.parse(readFileSync(join(dir, name), 'utf8')) as Usage;
    if (!existsSync(data)) rmSync(join(dir, name), { force: true });
    else for (const layer of layers) used.add(layer);
  }
  return used;
}
