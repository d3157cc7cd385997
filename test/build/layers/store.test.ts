import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../../src/build/layers/digest.ts';
import { createLayerStore } from '../../../src/build/layers/store.ts';
import type { DiffId } from '../../../src/domain/image.ts';
import { systemClock } from '../../../src/system/clock.ts';

let root: string;
let count = 0;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wherry-layers-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const folder = (files: Record<string, string>) => {
  const dir = join(root, `folder-${count++}`);
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
};
const store = () => createLayerStore({ cache: join(root, 'cache'), layers: join(root, 'data') });

describe("a layer's digest", () => {
  it('E2 depends on names, content, modes and links, and on nothing else', async () => {
    const make = () => folder({ a: '1', 'b/c': '2' });
    const reference = (await digestOf(make())).diffId;
    const changed = async (change: (dir: string) => void) => {
      const dir = make();
      change(dir);
      return (await digestOf(dir)).diffId;
    };
    expect(await changed(dir => utimesSync(join(dir, 'a'), 1, 1))).toBe(reference);
    expect(await changed(dir => writeFileSync(join(dir, 'a'), '3'))).not.toBe(reference);
    expect(await changed(dir => execFileSync('chmod', ['+x', join(dir, 'a')]))).not.toBe(reference);
    expect(await changed(dir => symlinkSync('a', join(dir, 'd')))).not.toBe(reference);
    expect(await changed(dir => mkdirSync(join(dir, 'd')))).not.toBe(reference);
  });

  it('is not made of a file with more holes than the disk limit, which would be read for hours', async () => {
    const dir = folder({ a: 'x' });
    writeFileSync(join(dir, 'sparse'), '');
    truncateSync(join(dir, 'sparse'), 2 ** 40);
    const began = performance.now();
    await expect(digestOf(dir, { disk: 2 ** 30 })).rejects.toMatchObject({
      message: expect.stringContaining('wrote more than its disk limit of 1g'),
      breach: { property: 'disk', limit: 2 ** 30 },
    });
    expect(performance.now() - began).toBeLessThan(2000);
    truncateSync(join(dir, 'sparse'), 2 ** 20);
    await expect(digestOf(dir, { disk: 2 ** 20 })).resolves.toMatchObject({ size: 2 ** 20 + 1 });
  });

  it('is not made of more hard links than the disk limit allows, but of any that the disk holds', async () => {
    const dir = folder({ a: 'x'.repeat(100_000), b: 'y'.repeat(100_000) });
    await expect(digestOf(dir, { disk: 0 })).resolves.toMatchObject({ size: 200_000 });
    for (const name of ['c', 'd', 'e']) linkSync(join(dir, 'a'), join(dir, name));
    await expect(digestOf(dir, { disk: 300_000 })).resolves.toMatchObject({ size: 500_000 });
    await expect(digestOf(dir, { disk: 299_999 })).rejects.toThrow('disk limit');
  });

  it('E2 counts hard links as separate files and deletes fifos', async () => {
    const linked = folder({ a: 'same' });
    linkSync(join(linked, 'a'), join(linked, 'b'));
    execFileSync('mkfifo', [join(linked, 'pipe')]);
    expect(await digestOf(linked)).toEqual(await digestOf(folder({ a: 'same', b: 'same' })));
    expect(readdirSync(linked)).toEqual(['a', 'b']);
  });

  it('reads files larger than its buffer', async () => {
    const big = 'x'.repeat(3 * 2 ** 20 + 7);
    const digest = await digestOf(folder({ big }));
    expect(digest.size).toBe(big.length);
    expect(digest).not.toEqual(await digestOf(folder({ big: `${big.slice(0, -1)}y` })));
  });

  it('tells a folder that hides lower ones from one that does not', async () => {
    const plain = await digestOf(folder({ 'a/b': '1' }));
    const opaque = await digestOf(folder({ 'a/b': '1' }), { opaque: new Set(['a']) });
    expect(opaque.diffId).not.toBe(plain.diffId);
  });
});

describe('the layer store', () => {
  it('puts a folder once, whoever puts it, and finds it in both places', async () => {
    const first = await store().put({ dir: folder({ a: '1' }), scope: 'shared', origin: 'one' });
    const again = folder({ a: '1' });
    expect(await store().put({ dir: again, scope: 'app', origin: 'two' })).toBe(first);
    expect(existsSync(again)).toBe(false);
    expect(store().layerPath(first)).toContain(join(root, 'cache'));
    expect(store().info(first)).toEqual({ size: 1, entries: 1, origin: 'one' });
    const other = await store().put({ dir: folder({ a: '2' }), scope: 'app', origin: 'three' });
    expect(readFileSync(join(store().layerPath(other), 'a'), 'utf8')).toBe('2');
  });

  it('takes the same layer from many at once and leaves nothing half made', async () => {
    const ids = await Promise.all(
      Array.from(
        { length: 8 },
        async () => await store().put({ dir: folder({ a: '1', b: '2' }), scope: 'app', origin: 'x' }),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    expect(readdirSync(join(root, 'data'))).toEqual([ids[0]?.replace(':', '-')]);
  });

  const put = async (layers: ReturnType<typeof store>, text: string, scope: 'app' | 'shared' = 'app') =>
    await layers.put({ dir: folder({ a: text }), scope, origin: 'x' });

  it('collects what is not kept, and never shared layers', async () => {
    const layers = store();
    const [kept, gone] = [await put(layers, '1'), await put(layers, '2')];
    const shared = await put(layers, '3', 'shared');
    await layers.collect(new Set([kept]));
    expect([kept, gone, shared].map(layers.has)).toEqual([true, false, true]);
    expect(readdirSync(join(root, 'data'))).toHaveLength(1);
  });

  it.each<[string, (layers: ReturnType<typeof store>, id: DiffId) => unknown]>([
    ['asked for', (layers, id) => layers.has(id)],
    ['mounted', (layers, id) => layers.layerPath(id)],
    ['made once more', async layers => await put(layers, 'used')],
  ])('leaves a build what it %s, and collects the rest beside it', async (_how, use) => {
    const layers = store();
    const [used, other] = [await put(layers, 'used'), await put(layers, 'other')];
    const letGo = layers.hold();
    const second = layers.hold();
    await use(layers, used);
    await layers.collect(new Set());
    expect(existsSync(layers.layerPath(used))).toBe(true);
    expect(layers.has(other)).toBe(false);
    letGo();
    letGo();
    await layers.collect(new Set());
    expect(layers.has(used)).toBe(true);
    second();
    await layers.collect(new Set());
    expect(layers.has(used)).toBe(false);
    expect(readdirSync(join(root, 'data'))).toEqual([]);
  });

  it('never takes a layer from a build, whatever the order of its steps and of collections', async () => {
    const layers = store();
    const collecting = { on: true };
    const collector = (async () => {
      while (collecting.on) {
        await layers.collect(new Set());
        await new Promise(setImmediate);
      }
    })();
    const build = async (round: number) => {
      const letGo = layers.hold();
      for (const text of ['same', `${round % 3}`, `own ${round}`]) {
        const id = await put(layers, text);
        await new Promise(resolve => setTimeout(resolve, round % 4));
        expect(readFileSync(join(layers.layerPath(id), 'a'), 'utf8')).toBe(text);
      }
      letGo();
    };
    for (let round = 0; round < 40; round += 4)
      await Promise.all([build(round), build(round + 1), build(round + 2), build(round + 3)]);
    collecting.on = false;
    await collector;
    await layers.collect(new Set());
    expect(readdirSync(join(root, 'data'))).toEqual([]);
  });

  it('tells when shared layers were last used, and removes them but for those in the hands of a build', async () => {
    const at = { now: new Date('2026-01-01') };
    const clock = { ...systemClock, now: () => at.now };
    const layers = createLayerStore({ cache: join(root, 'cache'), layers: join(root, 'data') }, clock);
    const [one, two] = [await put(layers, '1', 'shared'), await put(layers, '2', 'shared')];
    for (const id of [one, two]) layers.has(id);
    at.now = new Date('2026-01-02');
    layers.layerPath(one);
    expect(layers.shared()).toEqual([
      { id: two, usedAt: new Date('2026-01-01') },
      { id: one, usedAt: new Date('2026-01-02') },
    ]);
    const letGo = layers.hold();
    layers.has(one);
    await layers.removeShared([one, two]);
    expect([one, two].map(layers.has)).toEqual([true, false]);
    letGo();
    await layers.removeShared([one, two]);
    expect(layers.shared()).toEqual([]);
    expect(readdirSync(join(root, 'cache/layers'))).toEqual([]);
  });

  it('sweeps away what a crash left half put', async () => {
    mkdirSync(join(root, 'data/put-abc123/fs'), { recursive: true });
    mkdirSync(join(root, 'data/gone-sha256-x'), { recursive: true });
    for (const name of ['put-old', 'gone-old', 'put-new'])
      mkdirSync(join(root, 'cache/layers', name, 'fs'), { recursive: true });
    const kept = await store().put({ dir: folder({ a: '1' }), scope: 'app', origin: 'x' });
    await store().sweep();
    expect(readdirSync(join(root, 'data'))).toEqual([kept.replace(':', '-')]);
    // Another Wherry may be at work on what is young.
    expect(readdirSync(join(root, 'cache/layers'))).toHaveLength(3);
    const later = { ...systemClock, now: () => new Date(Date.now() + 25 * 3_600_000) };
    await createLayerStore({ cache: join(root, 'cache'), layers: join(root, 'data') }, later).sweep();
    expect(readdirSync(join(root, 'cache/layers'))).toEqual([]);
  });

  it.each(['sha256:../../etc', 'sha256:', 'md5:00', `sha256:${'g'.repeat(64)}`])(
    'has no path for the id %j',
    id => {
      expect(() => store().layerPath(id as DiffId)).toThrow('is not sha256 and 64 hex digits');
    },
  );

  it('keeps the modes of the folder', async () => {
    const dir = folder({ run: 'x' });
    execFileSync('chmod', ['0750', join(dir, 'run')]);
    const id = await store().put({ dir, scope: 'app', origin: 'x' });
    expect(statSync(join(store().layerPath(id), 'run')).mode & 0o777).toBe(0o750);
  });
});
