import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { commitWritten } from '../../src/build/commit.ts';
import { createLayerStore, type LayerStore } from '../../src/build/layers/store.ts';
import { buildLimitsOf } from '../../src/domain/build-limits.ts';
import type { Image } from '../../src/domain/image.ts';
import { parseAppName } from '../../src/domain/names.ts';

let dir: string;
let written: string;
let layers: LayerStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-commit-'));
  written = join(dir, 'written');
  mkdirSync(join(written, 'tmp'), { recursive: true });
  for (const name of ['cache', 'layers', 'builds']) mkdirSync(join(dir, name));
  layers = createLayerStore({ cache: join(dir, 'cache'), layers: join(dir, 'layers') });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const base: Image = {
  ...{ id: 'sha256:1', layers: [], env: {}, workingDir: '/home/app', user: { uid: 1000, gid: 1000 } },
  ...{ entrypoint: [], processes: [], labels: {}, scripts: { predeploy: 'x' } },
};
const commit = async (image: Image = base, limits = buildLimitsOf(() => undefined)) =>
  await commitWritten(
    { app: parseAppName('blog'), image, written, limits, signal: new AbortController().signal },
    { layers, builds: join(dir, 'builds') },
  );

it('puts what was written into the folder of the app on top, and nothing else', async () => {
  mkdirSync(join(written, 'home/app/public'), { recursive: true });
  writeFileSync(join(written, 'home/app/public/app.js'), 'made');
  writeFileSync(join(written, 'home/secret'), 'no');
  const image = await commit();
  const [layer] = image.layers;
  const root = layers.layerPath(layer ?? 'sha256:0');
  expect(readFileSync(join(root, 'home/app/public/app.js'), 'utf8')).toBe('made');
  expect(readdirSync(join(root, 'home'))).toEqual(['app']);
  expect(image.id).not.toBe(base.id);
  expect(image.scripts).toEqual(base.scripts);
  expect(readdirSync(join(dir, 'builds/blog'))).toEqual([]);
  expect((await commit()).id).toBe(image.id);
});

it('leaves the image as it is where nothing was written', async () => {
  expect(await commit()).toBe(base);
  mkdirSync(join(written, 'home/app'), { recursive: true });
  expect(await commit()).toBe(base);
});

it('takes what is beside the folders of the system where the app lies in the root', async () => {
  const inRoot = { ...base, workingDir: '/' };
  for (const folder of ['home/app', 'etc', 'root', 'dev', 'var/cache'])
    mkdirSync(join(written, folder), { recursive: true });
  writeFileSync(join(written, 'root/.netrc'), 'no');
  expect(await commit(inRoot)).toBe(inRoot);
  mkdirSync(join(written, 'public/deep'), { recursive: true });
  writeFileSync(join(written, 'public/deep/app.js'), 'made');
  symlinkSync('public/deep', join(written, 'assets'));
  const [layer] = (await commit(inRoot)).layers;
  const root = layers.layerPath(layer ?? 'sha256:0');
  expect(readdirSync(root).sort()).toEqual(['assets', 'public']);
  expect(readFileSync(join(root, 'assets/app.js'), 'utf8')).toBe('made');
});

it('does not follow a link that the app put in the way of its folder, nor one in it', async () => {
  mkdirSync(join(dir, 'host/app'), { recursive: true });
  writeFileSync(join(dir, 'host/app/key'), 'of the host');
  symlinkSync(join(dir, 'host'), join(written, 'home'));
  expect(await commit()).toBe(base);
  rmSync(join(written, 'home'));
  mkdirSync(join(written, 'home/app'), { recursive: true });
  symlinkSync(join(dir, 'host/app/key'), join(written, 'home/app/link'));
  const [layer] = (await commit()).layers;
  const root = layers.layerPath(layer ?? 'sha256:0');
  rmSync(join(dir, 'host'), { recursive: true });
  expect(existsSync(join(root, 'home/app/link'))).toBe(false);
  expect(readdirSync(join(root, 'home/app'))).toEqual(['link']);
});

it('is held to what a build may write', async () => {
  mkdirSync(join(written, 'home/app'), { recursive: true });
  writeFileSync(join(written, 'home/app/big'), Buffer.alloc(200_000, 1));
  const limits = { ...buildLimitsOf(() => undefined), disk: 100_000 };
  await expect(commit(base, limits)).rejects.toThrow(/disk/i);
  expect(readdirSync(join(dir, 'layers'))).toEqual([]);
});
