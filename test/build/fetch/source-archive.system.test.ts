import { createReadStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UnpackRequest } from '../../../src/build/builder.ts';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import type { FindLogin } from '../../../src/build/fetch/repository.ts';
import { unpackSource } from '../../../src/build/fetch/source-archive.ts';
import { archiveLimitsOf } from '../../../src/domain/archive-limits.ts';
import { buildLimitsOf } from '../../../src/domain/build-limits.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { type BuildpackHost, openBuildpackHost } from '../support/buildpack-host.ts';
import { makeCertificate } from '../support/certificate.ts';
import { tarOf } from '../support/oci-images.ts';
import { zipOf } from '../support/zips.ts';

let root: string;
let host: BuildpackHost;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  host = await openBuildpackHost(join(root, 'host'));
});
afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

const builds = () => join(root, 'builds');
const quiet = { header() {}, step() {}, detail() {}, raw() {}, warn() {} };
const unpack = async (
  archive: URL | Readable,
  more: Partial<UnpackRequest> & { hosts?: string; caFile?: string; login?: FindLogin } = {},
) => {
  const { hosts = host.host, caFile, login, ...rest } = more;
  const request: UnpackRequest = {
    app: parseAppName('blog'),
    archive,
    limits: buildLimitsOf(() => undefined),
    most: archiveLimitsOf(() => undefined),
    progress: quiet,
    signal: new AbortController().signal,
    ...rest,
  };
  const rules = { allowed: parseAllowedHosts(hosts), caFile };
  return await unpackSource(request, { builds: builds(), rules, login: login ?? (() => undefined) });
};
const tar = async (folder = '') =>
  await tarOf([
    { name: `${folder}page.html`, mode: 0o644, text: 'hello' },
    { name: `${folder}bin/run`, mode: 0o755, text: '#!/bin/sh' },
  ]);
const left = () => readdirSync(join(builds(), 'blog'));

describe('the files of an app in an archive', () => {
  it.each([
    ['tar', async () => await tar()],
    ['tar.gz', async () => gzipSync(await tar())],
    [
      'zip',
      async () =>
        zipOf([
          { name: 'page.html', text: 'hello' },
          { name: 'bin/run', text: 'x' },
        ]),
    ],
  ] as const)('are unpacked from a %s on standard input, and gone afterwards', async (type, archive) => {
    for (const said of [undefined, type]) {
      const { dir, remove } = await unpack(Readable.from([await archive()]), { type: said });
      expect(readdirSync(dir).sort()).toEqual(['bin', 'page.html']);
      expect(readFileSync(join(dir, 'page.html'), 'utf8')).toBe('hello');
      await remove();
      expect(left()).toEqual([]);
    }
  });

  it('come without the one folder that holds them all', async () => {
    const { dir } = await unpack(Readable.from([gzipSync(await tar('blog-1.2/'))]));
    expect(readdirSync(dir).sort()).toEqual(['bin', 'page.html']);
  });

  it('are fetched from a URL, whatever its name', async () => {
    await host.archive('blog.tar.gz', { 'page.html': 'hello', 'app.js': '' });
    const url = new URL(`${host.url}/files/blog.tar.gz?token=secret`);
    const steps: string[] = [];
    const { dir } = await unpack(url, { progress: { ...quiet, step: line => void steps.push(line) } });
    expect(readFileSync(join(dir, 'page.html'), 'utf8')).toBe('hello');
    expect(steps.join()).toContain('/files/blog.tar.gz"');
    expect(steps.join()).not.toContain('secret');
  });

  it('are fetched with the login of the app, by https alone, and no other host is told it', async () => {
    const { file: caFile, tls } = await makeCertificate(root);
    const secure = await openBuildpackHost(join(root, 'secure'), tls);
    try {
      await secure.archive('blog.tar.gz', { 'page.html': 'hello', 'app.js': '' });
      await host.archive('blog.tar.gz', { a: 'x' });
      secure.lock.login = 'ann:s3cret';
      const hosts = `${host.host},${secure.host}`;
      const asked: string[] = [];
      const login: FindLogin = (app, at) => {
        asked.push(`${app} ${at}`);
        return { user: 'ann', password: 's3cret', scope: app };
      };
      const url = new URL(`${secure.url}/files/blog.tar.gz`);
      await expect(unpack(url, { hosts, caFile })).rejects.toThrow(/answers with status 401/);
      const { dir } = await unpack(url, { hosts, caFile, login });
      expect(readFileSync(join(dir, 'page.html'), 'utf8')).toBe('hello');
      expect(asked).toEqual([`blog ${secure.host}`]);
      await unpack(new URL(`${host.url}/files/blog.tar.gz`), { hosts, caFile, login });
      const elsewhere = encodeURIComponent(`${host.url}/files/blog.tar.gz`);
      await unpack(new URL(`${secure.url}/to/302/${elsewhere}`), { hosts, caFile, login });
      expect(host.told).toEqual([]);
    } finally {
      await secure.close();
    }
  });

  it('are not fetched from inside the network, nor by a redirect', async () => {
    await host.archive('blog.tar.gz', { a: 'x' });
    const url = new URL(`${host.url}/files/blog.tar.gz`);
    await expect(unpack(url, { hosts: '' })).rejects.toMatchObject({ code: 'access-denied' });
    const metadata = new URL(`${host.url}/to/302/${encodeURIComponent('http://169.254.169.254/latest')}`);
    await expect(unpack(metadata)).rejects.toMatchObject({ code: 'access-denied' });
    const file = new URL(`${host.url}/to/302/${encodeURIComponent('file:///etc/passwd')}`);
    await expect(unpack(file)).rejects.toThrow(/redirects to "file:"/);
    expect(left()).toEqual([]);
  });

  it.each([
    ['of another type than was said', async () => gzipSync(await tar()), 'zip', /is no zip archive/],
    ['that is cut off', async () => gzipSync(await tar()).subarray(0, 60), undefined, /damaged or cut off/],
    ['that is none', async () => Buffer.from('hello'), undefined, /damaged or cut off/],
    ['that is empty', async () => Buffer.alloc(0), undefined, /damaged or cut off/],
    [
      'that leads out',
      async () => await tarOf([{ name: '../x', mode: 0o644, text: 'x' }]),
      undefined,
      /The archive is refused: "\.\.\/x" leads out/,
    ],
  ] as const)('of an archive %s are refused, and nothing is left', async (_, archive, type, why) => {
    const refused = expect.objectContaining({ code: 'invalid', message: expect.stringMatching(why) });
    await expect(unpack(Readable.from([await archive()]), { type })).rejects.toEqual(refused);
    expect(left()).toEqual([]);
  });

  it('of an archive larger than the disk limit are refused', async () => {
    const file = join(root, 'zeros');
    writeFileSync(file, Buffer.alloc(3 * 2 ** 20));
    const limits = { ...buildLimitsOf(() => undefined), disk: 2 ** 20 };
    await expect(unpack(createReadStream(file), { limits })).rejects.toThrow(/larger than 1m/);
    expect(left()).toEqual([]);
  });

  it('are no more than may be', async () => {
    const two = async () => Readable.from([await tar()]);
    await expect(unpack(await two(), { most: { entries: 1, bytes: 1000 } })).rejects.toThrow(
      /1 entries that are allowed/,
    );
    await expect(unpack(await two(), { most: { entries: 9, bytes: 5 } })).rejects.toThrow(
      /makes it larger than/,
    );
    expect(left()).toEqual([]);
  });

  it('that do not come in time are given up with a sentence', async () => {
    const never = new Readable({ read() {} });
    const limits = { ...buildLimitsOf(() => undefined), time: 20 };
    await expect(unpack(never, { limits })).rejects.toMatchObject({ code: 'interrupted' });
  });
});
