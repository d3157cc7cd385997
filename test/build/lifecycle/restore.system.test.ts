import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore, type LayerStore } from '../../../src/build/layers/store.ts';
import { nothing } from '../../../src/build/lifecycle/layer-launch.ts';
import type { BuildRecord, LayerRecord } from '../../../src/build/lifecycle/record.ts';
import { restore } from '../../../src/build/lifecycle/restore.ts';
import type { DiffId } from '../../../src/domain/image.ts';
import { aBuildpack } from './support/a-buildpack.ts';

// Needs root, because what comes back belongs to the build user.

let root: string;
let layers: LayerStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-restore-'));
  mkdirSync(join(root, 'into'));
  layers = createLayerStore({ cache: join(root, 'cache'), layers: join(root, 'layers') });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function put(files: Record<string, string>): Promise<DiffId> {
  const dir = mkdtempSync(join(root, 'put-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return await layers.put({ dir, scope: 'app', origin: 'test' });
}

async function layer(name: string, types: string): Promise<LayerRecord> {
  const has = (type: string) => types.split(' ').includes(type);
  return {
    name,
    flags: { build: has('build'), launch: has('launch'), cache: has('cache') },
    metadata: { n: 7 },
    diffId: await put({ [`layers/x_y/${name}/file`]: name }),
    launch: nothing,
  };
}

async function restored(all: readonly LayerRecord[], more: { sbom?: DiffId; store?: object } = {}) {
  const before = {
    id: 'x/y',
    version: '0.0.1',
    api: '0.9',
    layers: all,
    processes: [],
    labels: {},
    slices: [],
  };
  const record = { buildpacks: [{ ...before, ...more }] } as unknown as BuildRecord;
  const into = join(root, 'into');
  const result = restore({ record, group: [aBuildpack({ id: 'x/y', version: '2.0.0' })], layers, into });
  return { files: readdirSync(join(into, 'x_y')), names: result.restored.map(each => each.layer.name) };
}

describe('restoring', () => {
  it('R1 goes by the id of a buildpack, whatever its version was, and leaves out what is not in the group', async () => {
    expect((await restored([await layer('a', 'launch cache')])).names).toEqual(['a']);
    rmSync(join(root, 'into/x_y'), { recursive: true });
    const record = {
      buildpacks: [{ id: 'other', layers: [await layer('a', 'cache')] }],
    } as unknown as BuildRecord;
    const group = [aBuildpack({ id: 'x/y' })];
    expect(restore({ record, group, layers, into: join(root, 'into') }).restored).toEqual([]);
  });

  it.each(['launch', 'launch cache'])('R1 gives back nothing of a layer for %s that is lost', async types => {
    const lost = { ...(await layer('l', types)), diffId: `sha256:${'0'.repeat(64)}` as const };
    expect(await restored([lost, await layer('kept', types)])).toMatchObject({
      files: expect.not.arrayContaining(['l.toml']),
      names: types === 'launch' ? [] : ['kept'],
    });
  });

  it.each([
    ['launch', ['l.toml'], false],
    ['launch cache', ['l.toml'], true],
    ['launch build cache', ['l.toml'], true],
    ['cache', ['l.toml'], true],
    ['build cache', ['l.toml'], true],
    ['build', [], false],
    ['launch build', [], false],
    ['', [], false],
  ])('R2 brings back of a layer for "%s" %j, its folder: %s', async (types, files, folder) => {
    const result = await restored([await layer('l', types)]);
    expect([result.files, result.names]).toEqual([files, folder ? ['l'] : []]);
  });

  it('R2 R6 writes the metadata and no table of types', async () => {
    await restored([await layer('l', 'launch cache')]);
    expect(readFileSync(join(root, 'into/x_y/l.toml'), 'utf8').trim()).toBe('[metadata]\nn = 7');
  });

  it('R3 brings back neither toml nor folder of a cached layer that is gone', async () => {
    const lost = await layer('l', 'launch cache');
    rmSync(join(layers.layerPath(lost.diffId ?? 'sha256:'), '..'), { recursive: true });
    expect(await restored([lost])).toEqual({ files: [], names: [] });
  });

  it('R4 brings back the store, and bills of materials of layers that come back', async () => {
    const sbom = await put({ 'l.sbom.cdx.json': '{}', 'gone.sbom.cdx.json': '{}' });
    const { files } = await restored([await layer('l', 'cache')], { sbom, store: { kept: 'yes' } });
    expect(files).toEqual(['l.sbom.cdx.json', 'l.toml', 'store.toml']);
  });

  it('R5 gives all of it to the build user and leaves nothing else', async () => {
    await restored([await layer('l', 'cache')], { store: {} });
    for (const path of ['', 'l.toml', 'store.toml'])
      expect(statSync(join(root, 'into/x_y', path)).uid).toBe(1000);
    expect(existsSync(join(root, 'into/x_y/launch.toml'))).toBe(false);
  });
});
