import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildDefaults } from '../../../src/domain/build-limits.ts';
import type { Image } from '../../../src/domain/image.ts';
import { parseImageRef } from '../../../src/domain/image-ref.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildBench, fetchSoon, openBench } from '../support/bench.ts';
import { sha256, systemLayer, tarOf } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// Images of a registry of the tests' own on loopback, pulled and run for real.

let bench: BuildBench;
let host: RegistryHost;
let system: Buffer;
const app = parseAppName('pulled');
const said: string[] = [];

beforeAll(async () => {
  host = await openRegistryHost();
  bench = await openBench({ allowHosts: host.host });
  system = await systemLayer([
    { name: 'www/cgi-bin/id', mode: 0o755, text: '#!/bin/sh\necho\n/bin/busybox id -u\n' },
  ]);
}, 120_000);
afterAll(async () => {
  await bench.close();
  await host.close();
});
beforeEach(() => {
  host.requests.length = 0;
  said.length = 0;
});

const page = async (text: string) => await tarOf([{ name: 'www/index.html', mode: 0o644, text }]);
const serves = {
  WorkingDir: '/www',
  ExposedPorts: { '80/tcp': {} },
  Entrypoint: ['/bin/busybox', 'httpd'],
  Cmd: ['-f', '-p', '80'],
};
const pull = async (name: string) => {
  const say = (text: string) => void said.push(text);
  return await bench.builder.pull({
    app,
    ref: parseImageRef(`${host.host}/${name}`),
    limits: { ...buildDefaults, memory: 2 ** 28, pids: 64, disk: 2 ** 26, time: 60_000 },
    progress: { header: say, step: say, detail: say, warn: say, raw: say },
    signal: new AbortController().signal,
  });
};
const asked = async (image: Image, path = '/') => {
  let text = '';
  await bench.run(image, 'web', async base => {
    text = await (await fetchSoon(`${base}${path}`)).text();
  });
  return text;
};
const blobs = () => host.requests.filter(line => line.includes('/blobs/')).length;
const leftOver = () => readdirSync(`${bench.paths.builds}/${app}`).filter(name => name.startsWith('work-'));

it('a pulled image runs as its user and answers on its port', async () => {
  const config = { ...serves, User: 'sailor' };
  const pushed = host.push('team/boat', '1', { layers: [system, await page('ahoy')], config, index: true });
  const { image, digest } = await pull('team/boat:1');
  expect(digest).toBe(pushed);
  expect(said).toContain(`Digest: ${digest}`);
  expect(image).toMatchObject({ user: { uid: 7000, gid: 7001 }, port: 80 });
  expect(await asked(image)).toBe('ahoy');
  expect((await asked(image, '/cgi-bin/id')).trim()).toBe('7000');
  expect(leftOver()).toEqual([]);
});

it('one that wants root runs as user 1000, and that is said', async () => {
  host.push('root', '1', { layers: [system, await page('ahoy')], config: serves });
  const { image } = await pull('root:1');
  expect(said.join()).toContain('wants to run as root; it runs as user 1000');
  expect((await asked(image, '/cgi-bin/id')).trim()).toBe('1000');
});

it('only layers that are not here are fetched, and of an unchanged tag nothing', async () => {
  host.push('boat', '2', { layers: [system, await page('two')], config: serves });
  await pull('boat:2');
  host.requests.length = 0;
  host.push('boat', '2', { layers: [system, await page('three')], config: serves });
  const { image, digest } = await pull('boat:2');
  expect(blobs(), 'configuration and one layer').toBe(2);
  expect(await asked(image)).toBe('three');
  host.requests.length = 0;
  expect(await pull('boat:2')).toEqual({ image, digest });
  expect(host.requests).toEqual(['GET /v2/boat/manifests/2']);
  host.requests.length = 0;
  expect(await pull(`boat:2@${digest}`)).toEqual({ image, digest });
  expect(host.requests).toEqual([]);
});

it('its layers stay while it is the last of its app, and are fetched again once they are gone', async () => {
  host.push('boat', '4', { layers: [await page('four')], config: serves });
  const { image } = await pull('boat:4');
  await bench.builder.collect([]);
  expect(image.layers.filter(id => !bench.layers.has(id))).toEqual([]);
  await bench.builder.forget(app);
  await bench.builder.collect([]);
  expect(image.layers.filter(id => bench.layers.has(id))).toEqual([]);
  host.requests.length = 0;
  expect((await pull('boat:4')).image).toEqual(image);
  expect(blobs()).toBe(2);
});

it.each([
  ['names no command', async () => ({ layers: [system] }), /names no command to run/],
  [
    'wants a user that it lacks',
    async () => ({ layers: [system], config: { ...serves, User: 'x' } }),
    /no user/,
  ],
  [
    'leads out of itself',
    async () => ({ layers: [await tarOf([{ name: '../x', text: 'x' }])], config: serves }),
    /leads out of the layer/,
  ],
  [
    'has another layer than it says',
    async () => ({ layers: [await page('five')], config: serves, diffIds: [sha256(Buffer.from('other'))] }),
    /content is not what its digest says/,
  ],
  ['is for another processor', async () => ({ layers: [], architecture: 's390x', config: serves }), /s390x/],
])('an image that %s is refused, and leaves nothing', async (_, make, message) => {
  host.push('bad', '1', await make());
  await expect(pull('bad:1')).rejects.toThrow(message);
  expect(leftOver()).toEqual([]);
});
