import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore, type LayerStore } from '../../../src/build/layers/store.ts';
import { readEtcFile } from '../../../src/build/oci/accounts.ts';
import { readImage, unpackArchive } from '../../../src/build/oci/archive.ts';
import { importLayers } from '../../../src/build/oci/import.ts';
import type { DiffId } from '../../../src/domain/image.ts';
import { must } from '../../support/run.ts';
import { archiveOf, type ImageParts, type TarItem, tarOf, writeImage } from '../support/oci-images.ts';

let dir: string;
let layers: LayerStore;
let paths: { layers: string; cache: string };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-oci-'));
  paths = { layers: join(dir, 'layers'), cache: join(dir, 'cache') };
  layers = createLayerStore(paths);
});
afterEach(() => {
  spawnSync('umount', ['--lazy', join(dir, 'merged')]);
  rmSync(dir, { recursive: true, force: true });
});

const importImage = async (parts: ImageParts, kind: 'oci' | 'docker' = 'oci', limit = 2 ** 24) => {
  const made = mkdtempSync(join(dir, 'image-'));
  writeImage(made, kind, parts);
  const file = await archiveOf(made, `${made}.tar`);
  const into = mkdtempSync(join(dir, 'unpacked-'));
  await unpackArchive({ file, into, name: 'Image x' });
  return await importLayers(readImage(into, 'Image x'), {
    builds: join(dir, 'builds'),
    layers,
    name: 'image x',
    limit,
  });
};
const importLayer = async (...items: readonly TarItem[]) => {
  const [id] = await importImage({ layers: [await tarOf(items)] });
  return layers.layerPath(id ?? 'sha256:');
};
/** What an instance would see of the stacked layers. */
const mounted = async (ids: readonly DiffId[]) => {
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(dir, name));
  const lower = ids.map(layers.layerPath).toReversed().join(':');
  const options = `lowerdir=${lower},upperdir=${join(dir, 'upper')},workdir=${join(dir, 'work')}`;
  await must('mount', ['-t', 'overlay', 'overlay', '-o', options, join(dir, 'merged')]);
  return join(dir, 'merged');
};

const folder = (name: string): TarItem => ({ name, type: 'directory', mode: 0o755 });
const file = (name: string, text = name): TarItem => ({ name, mode: 0o644, text });

describe.each(['oci', 'docker'] as const)('an image archive (%s)', kind => {
  it('becomes layers that show, stacked, what the image holds', async () => {
    const below = await tarOf([
      folder('etc/'),
      file('etc/passwd', 'root:x:0:0::/:/bin/sh\n'),
      folder('gone/'),
      file('gone/file'),
      folder('fresh/'),
      file('fresh/old'),
      folder('again/'),
      file('again/old'),
      file('changed', 'before'),
    ]);
    const above = await tarOf([
      file('.wh.gone', ''),
      { ...folder('fresh/'), mode: 0o750, uid: 5, gid: 6 },
      file('fresh/.wh..wh..opq', ''),
      file('fresh/new'),
      file('.wh.again', ''),
      folder('again/'),
      file('again/new'),
      file('changed', 'after'),
    ]);
    const ids = await importImage({ layers: [below, above] }, kind);
    expect(ids).toHaveLength(2);
    const root = await mounted(ids);
    expect(existsSync(join(root, 'gone'))).toBe(false);
    expect(existsSync(join(root, 'fresh/old'))).toBe(false);
    expect(existsSync(join(root, 'again/old'))).toBe(false);
    expect(readFileSync(join(root, 'fresh/new'), 'utf8')).toBe('fresh/new');
    expect(readFileSync(join(root, 'again/new'), 'utf8')).toBe('again/new');
    expect(readFileSync(join(root, 'changed'), 'utf8')).toBe('after');
    expect(lstatSync(join(root, 'fresh'))).toMatchObject({ mode: 0o40750, uid: 5, gid: 6 });
    expect(readEtcFile('passwd', ids, layers.layerPath)).toContain('root:x:0');
  });

  it('is refused when a layer is not what the configuration promises', async () => {
    const layer = await tarOf([file('a')]);
    const diffIds = [`sha256:${'0'.repeat(64)}`];
    await expect(importImage({ layers: [layer], diffIds }, kind)).rejects.toThrow(
      'Layer 1 of image x is damaged: its content is not what its digest says.',
    );
  });

  it('is refused for another processor', async () => {
    await expect(importImage({ layers: [], architecture: 's390x' }, kind)).rejects.toThrow(
      'is for linux/s390x',
    );
  });
});

it('takes a layer that is known without reading it again', async () => {
  const layer = await tarOf([file('a')]);
  const first = await importImage({ layers: [layer] });
  const made = join(dir, 'again');
  writeImage(made, 'oci', { layers: [layer] });
  const image = readImage(made, 'Image x');
  rmSync(image.layers[0]?.file ?? '');
  expect(
    await importLayers(image, { builds: join(dir, 'builds'), layers, name: 'image x', limit: 2 ** 20 }),
  ).toEqual(first);
});

it('is refused when a blob is not what its digest says', async () => {
  const made = join(dir, 'image');
  writeImage(made, 'oci', { layers: [await tarOf([file('a')])] });
  const image = readImage(made, 'Image x');
  writeFileSync(image.layers[0]?.file ?? '', gzipSync(await tarOf([file('b')])));
  const importing = importLayers(image, {
    builds: join(dir, 'builds'),
    layers,
    name: 'image x',
    limit: 2 ** 20,
  });
  await expect(importing).rejects.toThrow('Layer 1 of image x is damaged');
  const index = join(made, 'index.json');
  writeFileSync(index, readFileSync(index, 'utf8').replace(/sha256:[0-9a-f]{64}/, '../../../../etc/passwd'));
  expect(() => readImage(made, 'Image x')).toThrow('must be sha256 and 64 hex digits');
});

describe('a layer', () => {
  it('keeps owners, links to anywhere and hard links; setuid bits and devices below /dev it loses', async () => {
    const root = await importLayer(
      folder('bin/'),
      { ...file('bin/su'), mode: 0o4755, uid: 0, gid: 0 },
      { ...file('owned'), uid: 101, gid: 102 },
      { name: 'absolute', type: 'symlink', linkname: '/bin/su' },
      { name: 'climbs', type: 'symlink', linkname: '../../../../etc/shadow' },
      { name: 'twin', type: 'link', linkname: 'bin/su' },
      { name: 'tmp/', type: 'directory', mode: 0o1777 },
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 },
      { name: 'pipe', type: 'fifo' },
    );
    expect(lstatSync(join(root, 'bin/su')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(root, 'owned'))).toMatchObject({ uid: 101, gid: 102 });
    expect(readlinkSync(join(root, 'absolute'))).toBe('/bin/su');
    expect(lstatSync(join(root, 'twin')).ino).toBe(lstatSync(join(root, 'bin/su')).ino);
    expect(lstatSync(join(root, 'tmp')).mode & 0o7777).toBe(0o1777);
    expect(existsSync(join(root, 'dev/null'))).toBe(false);
    expect(existsSync(join(root, 'pipe'))).toBe(false);
  });

  it.each([
    ['an absolute path', [file('/etc/passwd')], 'is an absolute path'],
    ['a path that climbs', [file('a/../../b')], 'leads out of the layer'],
    [
      'a file through a link',
      [{ name: 'a', type: 'symlink', linkname: '/etc' }, file('a/passwd')],
      'goes through link "a"',
    ],
    [
      'a whiteout through a link',
      [{ name: 'a', type: 'symlink', linkname: '/etc' }, file('a/.wh.x', '')],
      'goes through link',
    ],
    [
      "a folder in a link's place",
      [{ name: 'a', type: 'symlink', linkname: '/etc' }, folder('a/')],
      'is in it twice',
    ],
    [
      'a hard link out',
      [{ name: 'a', type: 'link', linkname: '../../etc/shadow' }],
      'leads out of the layer',
    ],
    [
      'a hard link to the host',
      [{ name: 'a', type: 'link', linkname: '/etc/shadow' }],
      'is not in front of it',
    ],
    ['a device', [{ name: 'disk', type: 'block-device', devmajor: 8, devminor: 0 }], 'is a block-device'],
    [
      'a device below a link called dev',
      [{ name: 'x/dev/sda', type: 'block-device', devmajor: 8, devminor: 0 }],
      'is a block-device',
    ],
    ['a whiteout of the parent', [file('.wh...', '')], 'deletes no file name'],
    ['an owner out of range', [{ ...file('a'), pax: { uid: '4000000000' } }], 'out of range'],
    ['a long path', [file(`${'a'.repeat(300)}`)], 'is too long'],
  ] satisfies [string, TarItem[], string][])('with %s is refused', async (_, items, message) => {
    await expect(importLayer(...items)).rejects.toThrow(message);
    expect(readdirSync(join(dir, 'builds/.images'))).toEqual([]);
  });

  it('replaces a link by a later file of the same name without writing through it', async () => {
    const outside = join(dir, 'outside');
    writeFileSync(outside, 'mine');
    const root = await importLayer({ name: 'a', type: 'symlink', linkname: outside }, file('a', 'theirs'));
    expect(readFileSync(outside, 'utf8')).toBe('mine');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('theirs');
  });

  it('that unpacks to more than is allowed is refused', async () => {
    const bomb = await tarOf([file('zeros', '\0'.repeat(2 ** 20))]);
    await expect(importImage({ layers: [bomb] }, 'oci', 2 ** 19)).rejects.toThrow(
      'makes it larger than 0 MiB',
    );
  });

  it('that is cut off is refused', async () => {
    const layer = (await tarOf([file('a', 'x'.repeat(4096))])).subarray(0, 2048);
    await expect(importImage({ layers: [layer] })).rejects.toThrow('is damaged or cut off');
  });
});

it('reads accounts through no link, and none that a layer deleted', async () => {
  const secret = join(dir, 'etc');
  mkdirSync(secret);
  writeFileSync(join(secret, 'passwd'), 'secret');
  const read = async (...items: readonly (readonly TarItem[])[]) => {
    const ids = await importImage({ layers: await Promise.all(items.map(tarOf)) });
    return readEtcFile('passwd', ids, layers.layerPath);
  };
  expect(await read([{ name: 'etc', type: 'symlink', linkname: secret }])).toBeUndefined();
  expect(
    await read([{ name: 'etc/passwd', type: 'symlink', linkname: join(secret, 'passwd') }]),
  ).toBeUndefined();
  expect(await read([file('etc/passwd', 'x')], [file('etc/.wh.passwd', '')])).toBeUndefined();
  expect(await read([file('etc/passwd', 'x')], [file('etc/other', '')])).toBe('x');
});
