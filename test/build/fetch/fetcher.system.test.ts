import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import { createFetcher, type Fetcher } from '../../../src/build/fetch/fetcher.ts';
import type { FindLogin } from '../../../src/build/fetch/repository.ts';
import { createLayerStore } from '../../../src/build/index.ts';
import { createRegistries } from '../../../src/build/registry/registries.ts';
import { parseBuildpackSource } from '../../../src/domain/buildpack-source.ts';
import { type AppName, parseAppName } from '../../../src/domain/names.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { type BuildpackHost, openBuildpackHost, writeFiles } from '../support/buildpack-host.ts';
import { makeCertificate } from '../support/certificate.ts';

let root: string;
let host: BuildpackHost;
let fetcher: Fetcher;
let warnings: string[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-fetch-'));
  // git's own user reaches the cache below it.
  chmodSync(root, 0o755);
  host = await openBuildpackHost(join(root, 'host'));
  fetcher = createFor(host.host);
  warnings = [];
});
afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

function createFor(hosts: string, caFile?: string, login?: FindLogin): Fetcher {
  const paths = createPaths({ data: join(root, 'data'), cache: join(root, 'cache') });
  const allowed = parseAllowedHosts(hosts);
  const layers = createLayerStore(paths);
  const registries = createRegistries({ cache: paths.cache, clock, allowed, credentials: () => undefined });
  return createFetcher({ paths, layers, clock, allowed, caFile, registries, ...(login ? { login } : {}) });
}

async function fetch(text: string, more: { app?: AppName; pin?: string; renew?: boolean } = {}) {
  const source = parseBuildpackSource(text);
  if (source.kind === 'built-in') throw new Error('not for fetching');
  const quiet = { header() {}, step() {}, detail() {}, raw() {} };
  const progress = { ...quiet, warn: (line: string) => void warnings.push(line) };
  return await fetcher.fetch(source, {
    app: parseAppName('app'),
    renew: false,
    progress,
    signal: new AbortController().signal,
    ...more,
  });
}

const pack = (text: string) => ({ 'bin/detect': `#!/bin/sh\necho ${text}\n`, 'lib/text': text });
const textOf = ({ dir }: { dir: string }) => readFileSync(join(dir, 'lib/text'), 'utf8');

describe.each(['smart', 'dumb', 'moved'])('a repository of a %s host', kind => {
  it('H8 is fetched at its default branch, and not again while it is held there', async () => {
    const commit = await host.commit('pack', pack('one'));
    const url = `${host.url}/${kind}/pack.git`;
    const first = await fetch(url);
    expect([first.pin, textOf(first)]).toEqual([commit, 'one']);
    expect(statSync(join(first.dir, 'bin/detect')).mode & 0o777).toBe(0o755);
    const asked = host.requests.length;
    await host.commit('pack', pack('two'));
    expect(textOf(await fetch(url, { pin: first.pin }))).toBe('one');
    expect(host.requests.length).toBe(asked);
    expect(textOf(await fetch(url, { pin: first.pin, renew: true }))).toBe('two');
  });
});

describe('a repository', () => {
  it('H8 is fetched at a branch, a tag, a commit and a short commit', async () => {
    const one = await host.commit('pack', pack('one'));
    await host.tag('pack', 'v1');
    await host.commit('pack', pack('two'));
    const url = `${host.url}/smart/pack.git`;
    for (const ref of ['v1', one, one.slice(0, 10)]) {
      const got = await fetch(`${url}#${ref}`);
      expect([ref, got.pin, textOf(got)]).toEqual([ref, one, 'one']);
    }
    expect(textOf(await fetch(`${url}#main`))).toBe('two');
    await expect(fetch(`${url}#v9`)).rejects.toThrow(/has no branch, tag or commit "v9"/);
    expect(readdirSync(join(root, 'cache/buildpacks')).filter(name => name.startsWith('fetch-'))).toEqual([]);
  });

  it('H8 is fetched once for two apps that name it', async () => {
    await host.commit('pack', pack('one'));
    const url = `${host.url}/smart/pack.git`;
    const first = await fetch(url);
    host.requests.length = 0;
    expect((await fetch(url)).layer).toBe(first.layer);
    expect(host.requests.filter(line => line.startsWith('POST'))).toHaveLength(1);
  });

  it('H8 that is held at a commit builds from the copy when its host is gone', async () => {
    await host.commit('pack', pack('one'));
    const { pin } = await fetch(`${host.url}/smart/pack.git`);
    await host.close();
    expect(textOf(await fetch(`${host.url}/smart/pack.git`, { pin, renew: true }))).toBe('one');
    expect(warnings.join()).toMatch(/cannot be reached.*Building with the copy from before/);
    await expect(fetch(`${host.url}/smart/other.git`)).rejects.toThrow(/cannot be reached/);
  });

  it('that does not exist says so', async () => {
    await expect(fetch(`${host.url}/smart/none.git`)).rejects.toThrow(/none\.git.* answers with status 404/);
  });

  it('with a link out of it is refused', async () => {
    await host.commit('pack', pack('one'));
    const work = join(root, 'host/work/pack');
    symlinkSync('/etc/passwd', join(work, 'leak'));
    await host.commit('pack', {});
    await expect(fetch(`${host.url}/smart/pack.git`)).rejects.toThrow(/"leak" is a link to an absolute path/);
  });
});

describe('an archive', () => {
  it.each(['a.tgz', 'a.tar.gz', 'a.tar', 'a.tar.bz2', 'a.tbz'])(
    'H8 %s is unpacked, with or without a folder',
    async name => {
      expect(textOf(await fetch(await host.archive(name, pack('one'))))).toBe('one');
      expect(textOf(await fetch(await host.archive(`folder-${name}`, pack('two'), 'pack-123')))).toBe('two');
    },
  );

  it('is held at its digest', async () => {
    const url = await host.archive('a.tgz', pack('one'));
    const first = await fetch(url);
    const sha256 = createHash('sha256')
      .update(readFileSync(join(root, 'host/files/a.tgz')))
      .digest('hex');
    expect(first.pin).toBe(sha256);
    const asked = host.requests.length;
    await fetch(url, { pin: sha256 });
    await fetch(`${url}#sha256=${sha256}`);
    expect(host.requests.length).toBe(asked);
    await expect(fetch(`${url}#sha256=${'0'.repeat(64)}`)).rejects.toThrow(/has changed: its sha256 is/);
  });

  it('that is cut off or no archive is refused', async () => {
    const url = await host.archive('a.tgz', pack('one'));
    const file = join(root, 'host/files/a.tgz');
    writeFileSync(file, readFileSync(file).subarray(0, 100));
    await expect(fetch(url)).rejects.toThrow(/damaged or cut off/);
    writeFileSync(file, '<html>');
    await expect(fetch(url)).rejects.toThrow(/damaged or cut off/);
  });
});

describe('what must not be fetched', () => {
  it('is refused on this host unless it is allowed', async () => {
    await host.commit('pack', pack('one'));
    fetcher = createFor('');
    const secure = host.url.replace('http:', 'https:');
    for (const url of [`${host.url}/smart/pack.git`, `${secure}/smart/pack.git`, `${secure}/files/a.tgz`]) {
      await expect(fetch(url)).rejects.toThrow(/so it is not fetched/);
    }
    expect(host.requests).toEqual([]);
  });

  it.each([
    ['http://169.254.169.254/latest/meta-data'],
    ['https://169.254.169.254/latest/meta-data'],
    ['https://0x7f000001/x'],
    ['https://[::1]/x'],
    ['http://localhost:1/x'],
    ['file:///etc/passwd'],
  ])('is not followed to by a redirect: %s', async target => {
    await expect(fetch(`${host.url}/to/302/${encodeURIComponent(target)}`)).rejects.toThrow(/not fetched/);
    await expect(fetch(`${host.url}/to/301/${encodeURIComponent(target)}/x.tgz`)).rejects.toThrow(
      /not fetched/,
    );
  });

  it('is a ring of redirects', async () => {
    await expect(fetch(`${host.url}/to/302/${encodeURIComponent('.')}/x.tgz`)).rejects.toThrow(
      /redirects too often/,
    );
  });
});

describe('a host that points elsewhere', () => {
  it('is not followed to the alternates of a dumb repository', async () => {
    const other = await openBuildpackHost(join(root, 'other'));
    try {
      await host.commit('pack', pack('one'));
      const objects = join(root, 'host/smart/pack.git/objects');
      // What is missing here would be looked for there.
      for (const name of readdirSync(objects).filter(each => each.length === 2))
        renameSync(join(objects, name), join(root, `gone-${name}`));
      writeFileSync(join(objects, 'info/http-alternates'), `${other.url}/dumb/other.git/objects\n`);
      fetcher = createFor(`${host.host},${other.host}`);
      await expect(fetch(`${host.url}/dumb/pack.git`)).rejects.toThrow(/could not be fetched/);
      expect(host.requests.join()).toContain('http-alternates');
      expect(other.requests).toEqual([]);
    } finally {
      await other.close();
    }
  });
});

describe('a host with a certificate of a company', () => {
  it('is trusted by the bundle that the operator set, and by nothing else', async () => {
    const { file, tls } = await makeCertificate(root);
    const secure = await openBuildpackHost(join(root, 'host'), tls);
    try {
      await secure.commit('pack', pack('one'));
      const archive = await secure.archive('a.tgz', pack('two'));
      fetcher = createFor(secure.host);
      await expect(fetch(`${secure.url}/smart/pack.git`)).rejects.toThrow(/cannot be reached: self.signed/);
      fetcher = createFor(secure.host, file);
      expect(textOf(await fetch(`${secure.url}/smart/pack.git`))).toBe('one');
      expect(textOf(await fetch(archive))).toBe('two');
    } finally {
      await secure.close();
    }
  });
});

describe('a repository that a login opens', () => {
  it('is known to those alone whose login it is, also by its commit', async () => {
    const { file, tls } = await makeCertificate(root);
    const secure = await openBuildpackHost(join(root, 'secure'), tls);
    try {
      const commit = await secure.commit('pack', pack('one'));
      secure.lock.login = 'ann:s3cret';
      const [app, other] = [parseAppName('app'), parseAppName('other')];
      const opened = new Set<string>([app]);
      fetcher = createFor(secure.host, file, name =>
        opened.has(name) ? { user: 'ann', password: 's3cret', scope: name } : undefined,
      );
      const url = `${secure.url}/smart/pack.git`;
      const { pin } = await fetch(url);
      expect(pin).toBe(commit);
      const asked = secure.requests.length;
      expect(textOf(await fetch(url, { pin }))).toBe('one');
      expect(secure.requests).toHaveLength(asked);
      const denied = expect.objectContaining({ code: 'access-denied' });
      await expect(fetch(url, { app: other, pin })).rejects.toEqual(denied);
      opened.delete(app);
      await expect(fetch(url, { pin })).rejects.toEqual(denied);
    } finally {
      await secure.close();
    }
  });
});

describe('a folder of this host', () => {
  it('is copied as it is now', async () => {
    const dir = join(root, 'mine');
    writeFiles(dir, pack('one'));
    const first = await fetch(dir);
    writeFiles(dir, pack('two'));
    expect([textOf(first), textOf(await fetch(dir))]).toEqual(['one', 'two']);
    expect(existsSync(dir)).toBe(true);
    await expect(fetch('/nonexistent')).rejects.toThrow(/holds no buildpack/);
  });
});
