import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import { readImage } from '../../../src/build/oci/archive.ts';
import type { Credentials } from '../../../src/build/registry/challenge.ts';
import { createRegistries, type Registries } from '../../../src/build/registry/registries.ts';
import { parseImageRef } from '../../../src/domain/image-ref.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { sha256, tarOf } from '../support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../support/registry-host.ts';

// Against a registry of the tests' own on loopback; those on the Internet are out of reach of tests.

let root: string;
let host: RegistryHost;
let layer: Buffer;
const said: string[] = [];
const app = parseAppName('boat');
const login = { user: 'ann', password: 'pass:word' };

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-registry-'));
  host = await openRegistryHost();
  layer = await tarOf([{ name: 'hello', text: 'x'.repeat(5000) }]);
  said.length = 0;
});
afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

function registries(more: { allow?: string; credentials?: Credentials; silence?: number } = {}): Registries {
  return createRegistries({
    cache: root,
    clock,
    allowed: parseAllowedHosts(more.allow ?? host.host),
    credentials: () => more.credentials,
    silence: more.silence ?? 5000,
  });
}
const say = (text: string) => void said.push(text);
const how = (limits: { disk?: number; time?: number } = {}, signal = new AbortController().signal) => ({
  app,
  progress: { header: say, step: say, detail: say, warn: say, raw: say },
  signal,
  limits: { disk: 2 ** 26, time: 10_000, ...limits },
});
const pull = async (name: string, more: Parameters<typeof registries>[0] = {}) =>
  await registries(more).pull(parseImageRef(`${host.host}/${name}`), how());
const leftOver = () => {
  try {
    return readdirSync(join(root, 'images')).filter(name => name.startsWith('pull-'));
  } catch {
    return [];
  }
};

describe('pulling an image', () => {
  it.each([false, true])('makes an OCI layout of it (chosen from an index: %s)', async index => {
    const digest = host.push('team/boat', '1.2', { layers: [layer], config: { Cmd: ['/hello'] }, index });
    const pulled = await pull('team/boat:1.2');
    expect(pulled.digest).toBe(digest);
    const { config, layers } = readImage(pulled.dir, 'It');
    expect(config.config?.Cmd).toEqual(['/hello']);
    expect(layers.map(({ diffId }) => diffId)).toEqual([sha256(layer)]);
    for (const name of readdirSync(join(pulled.dir, 'blobs/sha256')))
      expect(sha256(readFileSync(join(pulled.dir, 'blobs/sha256', name)))).toBe(`sha256:${name}`);
    expect(leftOver()).toEqual([]);
  });

  it('asks only what the tag means when it is here, and nothing at all by digest', async () => {
    const digest = host.push('boat', 'latest', { layers: [layer] });
    await pull('boat');
    host.requests.length = 0;
    expect((await pull('boat')).digest).toBe(digest);
    expect(host.requests).toEqual(['GET /v2/boat/manifests/latest']);
    host.requests.length = 0;
    expect((await pull(`boat@${digest}`)).digest).toBe(digest);
    expect(host.requests).toEqual([]);
  });

  it('fetches a layer that is in it twice once, and leaves out what is here', async () => {
    const other = await tarOf([{ name: 'other', text: 'other' }]);
    host.push('boat', 'latest', { layers: [layer, other, layer] });
    const all = registries();
    const found = await all.resolve(parseImageRef(`${host.host}/boat`), how());
    await all.download(found, { ...how(), into: join(root, 'all') });
    expect(host.requests.filter(line => line.includes('/blobs/'))).toHaveLength(3);
    host.requests.length = 0;
    const has = (id: string) => id === sha256(layer);
    await all.download(found, { ...how(), into: join(root, 'some'), has });
    expect(host.requests.filter(line => line.includes('/blobs/'))).toHaveLength(2);
  });

  it('deletes images that nobody used for two weeks', async () => {
    host.push('old', 'latest', { layers: [layer] });
    host.push('new', 'latest', { layers: [layer], config: { Cmd: ['x'] } });
    const { dir } = await pull('old');
    const past = new Date(Date.now() - 15 * 24 * 3_600_000);
    utimesSync(dir, past, past);
    await pull('new');
    expect(readdirSync(join(root, 'images'))).toHaveLength(1);
  });

  it('is done once for two that ask at once', async () => {
    host.push('boat', 'latest', { layers: [layer] });
    await Promise.all([pull('boat'), pull('boat')]);
    expect(host.requests.filter(line => line.includes('/blobs/'))).toHaveLength(2);
  });
});

describe('a registry that wants a login', () => {
  it.each(['bearer', 'basic'] as const)('is pulled from with credentials by %s', async by => {
    await host.close();
    host = await openRegistryHost({ login: { ...login, by } });
    host.push('team/boat', 'latest', { layers: [layer] });
    await pull('team/boat', { credentials: login });
    await expect(pull('team/boat')).rejects.toThrow(
      /lets nobody pull team\/boat without logging in\. Check the image's name, or log in\./,
    );
    const wrong = pull('team/boat', { credentials: { ...login, password: 'no' } });
    await expect(wrong).rejects.toThrow(/does not let ann pull team\/boat/);
  });

  it('does not see its token go to another host that holds the layers', async () => {
    const store = await openRegistryHost();
    await host.close();
    host = await openRegistryHost({ login: { ...login, by: 'bearer' } });
    for (const each of [host, store]) each.push('team/boat', 'latest', { layers: [layer] });
    host.mischief.blobsFrom = store.url;
    try {
      await pull('team/boat', { credentials: login, allow: `${host.host},${store.host}` });
      expect(store.requests.length).toBe(2);
      expect(store.authorizations).toEqual([undefined, undefined]);
    } finally {
      await store.close();
    }
  });

  it.each(['http://169.254.169.254/token', 'https://10.0.0.1/token', 'file:///etc/passwd'])(
    'is not followed to %s for a token',
    async realm => {
      host.push('boat', 'latest', { layers: [layer] });
      host.mischief.realm = realm;
      await expect(pull('boat', { credentials: login })).rejects.toThrow(/so it is not fetched/);
    },
  );
});

describe('a registry that misbehaves', () => {
  beforeEach(() => {
    host.push('boat', 'latest', { layers: [layer] });
  });

  it.each([
    ['sends another layer', { change: flipBlob }, /sent other content for boat/],
    ['sends more than it said', { change: grow }, /sent other content for boat/],
    ['sends a layer cut off', { cutAt: 20 }, /broke off 3 times while it sent a part of boat/],
    ['sends less than it said', { change: shorten }, /sent other content for boat/],
    ['tells another digest', { digest: `sha256:${'1'.repeat(64)}` }, /sent other content for boat/],
    ['sends a manifest that is none', { change: notJson }, /sent other content for boat/],
    ['is asked too often', { status: 429 }, /status 429 for boat: it was asked too often\. Log in/],
    ['is broken', { status: 503 }, /status 503 for boat: try again later/],
    ['redirects to a metadata address', { blobsFrom: 'http://169.254.169.254' }, /so it is not fetched/],
  ])('because it %s is told in a sentence, and nothing stays', async (_, mischief, message) => {
    Object.assign(host.mischief, mischief);
    await expect(pull('boat')).rejects.toThrow(message);
    expect(leftOver()).toEqual([]);
    for (const key of Object.keys(host.mischief)) delete host.mischief[key as keyof typeof host.mischief];
    await pull('boat');
  });

  it('by silence is given up', async () => {
    host.mischief.silent = true;
    await expect(pull('boat', { silence: 200 })).rejects.toThrow(/cannot be reached: no answer within 0.2 s/);
  });

  it('by sending a byte a tick is given up', async () => {
    host.mischief.drip = true;
    const ref = parseImageRef(`${host.host}/boat`);
    await expect(registries().pull(ref, how({ time: 700 }))).rejects.toThrow(/took longer than 1 s for boat/);
    expect(leftOver()).toEqual([]);
  });

  it('by breaking off twice is asked again', async () => {
    Object.assign(host.mischief, { cutAt: 20, cuts: 2 });
    const { dir } = await pull('boat');
    expect(readImage(dir, 'It').layers.map(({ diffId }) => diffId)).toEqual([sha256(layer)]);
    expect(host.requests.filter(line => line.includes('/blobs/'))).toHaveLength(4);
  });

  it('by what it holds is found before a layer is asked for', async () => {
    const other = process.arch === 'x64' ? 'arm64' : 'amd64';
    host.push('wrong', 'latest', { layers: [layer], architecture: other });
    await expect(pull('wrong')).rejects.toThrow(new RegExp(`is for linux/${other}; this host runs`));
    host.pushRaw('list', 'latest', 'application/vnd.oci.image.index.v1+json', {
      manifests: [
        { digest: `sha256:${'0'.repeat(64)}`, size: 2, platform: { os: 'linux', architecture: 's390x' } },
      ],
    });
    await expect(pull('list')).rejects.toThrow(/has no image for linux\/.*it has linux\/s390x/);
    const signed = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
    host.pushRaw('old', 'latest', signed, { schemaVersion: 1, fsLayers: [] });
    await expect(pull('old')).rejects.toThrow(/old schema 1/);
    host.pushRaw('odd', 'latest', 'application/vnd.oci.image.manifest.v1+json', { config: {}, layers: [] });
    await expect(pull('odd')).rejects.toThrow(/manifest that cannot be read: config\.digest/);
    const ref = parseImageRef(`${host.host}/boat`);
    await expect(registries().pull(ref, how({ disk: 10 }))).rejects.toThrow(/boat:latest is larger than/);
    expect(host.requests.filter(line => line.includes('/blobs/'))).toHaveLength(1);
  });
});

describe('an image that cannot be had', () => {
  it('because the registry lacks it is told by its tag', async () => {
    await expect(pull('none:1')).rejects.toThrow(/has no none "1"\. Check the image's name and tag/);
  });

  it('because the registry is inside the network is refused', async () => {
    host.push('boat', 'latest', { layers: [layer] });
    await expect(pull('boat', { allow: '' })).rejects.toThrow(/so it is not fetched/);
    expect(host.requests).toEqual([]);
  });

  it('because its digest is another is told', async () => {
    const digest = host.push('boat', 'latest', { layers: [layer] });
    host.mischief.change = content => Buffer.concat([content, Buffer.from(' ')]);
    await expect(pull(`boat@${digest}`)).rejects.toThrow(/sent other content for boat than "sha256:/);
  });

  it('because the person leaves is told as such', async () => {
    host.push('boat', 'latest', { layers: [layer] });
    host.mischief.silent = true;
    const stop = new AbortController();
    const going = registries().pull(parseImageRef(`${host.host}/boat`), how({}, stop.signal));
    setTimeout(() => stop.abort(new Error('left')), 200);
    await expect(going).rejects.toThrow('left');
  });
});

function flipBlob(content: Buffer, kind: string): Buffer {
  if (kind === 'manifest') return content;
  const changed = Buffer.from(content);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}
function grow(content: Buffer, kind: string): Buffer {
  return kind === 'manifest' ? content : Buffer.concat([content, Buffer.alloc(2 ** 20)]);
}
function shorten(content: Buffer, kind: string): Buffer {
  return kind === 'manifest' ? content : content.subarray(0, -1);
}
function notJson(content: Buffer, kind: string): Buffer {
  return kind === 'manifest'
    ? Buffer.from(`<html>${createHash('md5').update(content).digest('hex')}`)
    : content;
}
