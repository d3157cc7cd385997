import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDefaults } from '../../../src/domain/build-limits.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { archiveOf, tarOf, writeImage } from '../support/oci-images.ts';

let bench: BuildBench;
let dir: string;
const app = parseAppName('loaded');

beforeAll(async () => {
  bench = await openBench();
  dir = mkdtempSync(join(tmpdir(), 'wherry-load-'));
}, 120_000);
afterAll(async () => {
  await bench.close();
  rmSync(dir, { recursive: true, force: true });
});

/** busybox, a page, and a web server that listens where the image says. */
const makeArchive = async (kind: 'oci' | 'docker', page: string) => {
  const below = await tarOf([
    { name: 'bin/busybox', mode: 0o755, text: readFileSync('/bin/busybox') },
    { name: 'etc/passwd', text: 'sailor:x:7000:7001::/:/bin/sh\n' },
  ]);
  const above = await tarOf([{ name: 'www/index.html', mode: 0o644, text: page }]);
  const made = mkdtempSync(join(dir, 'image-'));
  writeImage(made, kind, {
    name: 'boat:1.2',
    layers: [below, above],
    config: {
      User: 'sailor',
      WorkingDir: '/www',
      ExposedPorts: { '80/tcp': {} },
      Entrypoint: ['/bin/busybox', 'httpd'],
      Cmd: ['-f', '-p', '80'],
    },
  });
  return await archiveOf(made, `${made}.tar`);
};
const load = async (archive: Readable, name = 'boat:1.2', disk = 2 ** 26) => {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  return await bench.builder.load({
    app,
    name,
    archive,
    limits: { ...buildDefaults, memory: 2 ** 28, pids: 64, disk, time: 60_000 },
    progress: { header: say, step: say, detail: say, warn: say, raw: say },
    signal: new AbortController().signal,
  });
};
const leftOver = () => readdirSync(join(bench.paths.builds, app)).filter(name => name.startsWith('work-'));

describe('an image archive that is sent', () => {
  it.each(['oci', 'docker'] as const)(
    '(%s) runs as its user and answers on its port below 1024',
    async kind => {
      const image = await load(createReadStream(await makeArchive(kind, `ahoy from ${kind}`)));
      expect(image).toMatchObject({ user: { uid: 7000, gid: 7001 }, port: 80 });
      await bench.run(image, 'web', async base => {
        expect(await (await fetchSoon(base)).text()).toBe(`ahoy from ${kind}`);
      });
      expect(leftOver()).toEqual([]);
    },
  );

  it('may be compressed, and is the same image then', async () => {
    const file = await makeArchive('docker', 'ahoy');
    const plain = await load(createReadStream(file));
    expect(await load(Readable.from([gzipSync(readFileSync(file))]))).toEqual(plain);
  });

  it('keeps its layers from being collected while it is the last of its app', async () => {
    const image = await load(createReadStream(await makeArchive('oci', 'kept')));
    await bench.builder.collect([]);
    expect(image.layers.filter(id => !bench.layers.has(id))).toEqual([]);
  });

  it.each([
    ['nothing', () => Readable.from([]), 'is no whole tar archive'],
    ['no archive', () => Readable.from([Buffer.from('x'.repeat(5000))]), 'is no whole tar archive'],
    ['an archive of something else', () => Readable.from([gzipSync(Buffer.alloc(1024))]), 'is no image'],
    [
      'more than is allowed',
      () => Readable.from([Buffer.alloc(2 ** 26), Buffer.alloc(1)]),
      'is larger than 64m',
    ],
  ])('is refused when it is %s, and leaves nothing', async (_, archive, message) => {
    await expect(load(archive())).rejects.toThrow(message);
    expect(leftOver()).toEqual([]);
  });
});
