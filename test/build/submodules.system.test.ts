import {
  chmodSync,
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
import { parseAllowedHosts } from '../../src/build/fetch/addresses.ts';
import { createFetcher } from '../../src/build/fetch/fetcher.ts';
import type { SshIdentity } from '../../src/build/fetch/ssh-access.ts';
import { createLayerStore } from '../../src/build/index.ts';
import { createRegistries } from '../../src/build/registry/registries.ts';
import { fillSubmodules } from '../../src/build/submodules.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { createPaths } from '../../src/system/paths.ts';
import { makeSshKeyPair } from '../../src/system/ssh-key-pair.ts';
import { startSshHost } from '../support/ssh-host.ts';
import { type BuildpackHost, openBuildpackHost } from './support/buildpack-host.ts';
import { uploadPackOf } from './support/upload-pack.ts';

let root: string;
let host: BuildpackHost;
let warnings: string[];
let steps: string[];
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-submodules-'));
  chmodSync(root, 0o755);
  host = await openBuildpackHost(join(root, 'host'));
  [warnings, steps] = [[], []];
});
afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

type Entry = { path: string; url?: string; update?: string };

/** A checkout with the submodule at `libs/one`, named by the entries. */
async function fill(
  commit: string,
  gitmodules: string | readonly Entry[],
  {
    hosts = host.host,
    origin,
    sshIdentity,
  }: { hosts?: string; origin?: string; sshIdentity?: () => SshIdentity } = {},
): Promise<string> {
  const paths = createPaths({ data: join(root, 'data'), cache: join(root, 'cache') });
  const allowed = parseAllowedHosts(hosts);
  const layers = createLayerStore(paths);
  const registries = createRegistries({ cache: paths.cache, clock, allowed, credentials: () => undefined });
  const fetcher = createFetcher({
    ...{ paths, layers, clock, allowed, registries },
    ...(sshIdentity ? { sshIdentity } : {}),
  });
  const dir = mkdtempSync(join(root, 'source-'));
  mkdirSync(join(dir, 'libs/one'), { recursive: true });
  const text = typeof gitmodules === 'string' ? gitmodules : gitmodules.map(written).join('');
  if (text !== '') writeFileSync(join(dir, '.gitmodules'), text);
  const submodules = [{ path: 'libs/one', commit }];
  const source = {
    commit: 'a'.repeat(40),
    subject: '',
    dir,
    checkoutMs: 0,
    submodules,
    ...(origin ? { origin } : {}),
  };
  const progress = {
    ...{ header() {}, detail() {}, raw() {} },
    warn: (line: string) => void warnings.push(line),
    step: (line: string) => void steps.push(line),
  };
  await fillSubmodules(
    { app: parseAppName('blog'), source, progress, signal: new AbortController().signal },
    fetcher,
  );
  return join(dir, 'libs/one');
}

function written({ path, url, update }: Entry): string {
  return [
    `[submodule "${path}.x"]\n\tpath = ${path}\n`,
    url === undefined ? '' : `\turl = ${url}\n`,
    update === undefined ? '' : `\tupdate = ${update}\n`,
  ].join('');
}

const at = (url: string): Entry[] => [{ path: 'libs/one', url }];

describe('a submodule', () => {
  it('is there as its commit has it, with what its attributes leave out of archives', async () => {
    const commit = await host.commit('one', {
      'bin/run': '#!/bin/sh',
      'tests/data': '$Format:%H$',
      '.gitattributes': '/tests export-ignore\ndata export-subst\n',
    });
    await host.commit('one', { 'bin/run': 'newer' });
    const dir = await fill(commit, at(`${host.url}/smart/one.git`));
    expect(readFileSync(join(dir, 'bin/run'), 'utf8')).toBe('#!/bin/sh');
    expect(statSync(join(dir, 'bin/run')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(dir, 'tests/data'), 'utf8')).toBe('$Format:%H$');
    expect(steps.join()).toContain('Fetching submodule libs/one');
    expect(warnings).toEqual([]);
  });

  it('is fetched once, for whatever app', async () => {
    const commit = await host.commit('one', { a: '1' });
    await fill(commit, at(`${host.url}/smart/one.git`));
    host.requests.length = 0;
    expect(readdirSync(await fill(commit, at(`${host.url}/smart/one.git`)))).toEqual(['a']);
    expect(host.requests).toEqual([]);
  });

  it('comes with submodules of its own, also those that are named by their place beside it', async () => {
    const inmost = await host.commit('inmost', { b: 'inmost' });
    const list = written({ path: 'deep/in', url: '../inmost.git' });
    const commit = await host.commit('one', { a: 'one', '.gitmodules': list }, { 'deep/in': inmost });
    for (const time of ['first', 'held']) {
      const dir = await fill(commit, at(`${host.url}/smart/one.git`));
      expect(readFileSync(join(dir, 'deep/in/b'), 'utf8'), time).toBe('inmost');
    }
    expect(steps.join()).toContain('Fetching submodule libs/one/deep/in');
    expect(warnings).toEqual([]);
  });

  it('of a submodule that cannot be had is refused by its whole name', async () => {
    const list = written({ path: 'in', url: 'file:///etc' });
    const commit = await host.commit('one', { '.gitmodules': list }, { in: '1'.repeat(40) });
    await expect(fill(commit, at(`${host.url}/smart/one.git`))).rejects.toThrow(
      /Submodule "libs\/one\/in" comes from/,
    );
  });

  it.each([
    ['without .gitmodules', ''],
    ['that .gitmodules does not name', written({ path: 'libs/two', url: 'https://example.org/x' })],
    [
      'that is not to be updated',
      written({ path: 'libs/one', url: 'https://example.org/x', update: 'none' }),
    ],
  ])('%s is left out, which is said', async (_, text) => {
    expect(readdirSync(await fill('1'.repeat(40), text))).toEqual([]);
    expect(warnings.join()).toMatch(/"libs\/one" is left out: .gitmodules has no URL for it/);
  });

  it.each([
    ['ssh://git@-oProxyCommand=id/one.git'],
    ["git@example.org:a';id"],
    ['ssh://git:s3cret@example.org/one.git'],
    ['file:///etc'],
    ['ext::sh -c true'],
    ['/etc'],
    ['--upload-pack=x'],
    ['https://ann:s3cret@example.org/one.git'],
  ])('that comes from %s is refused by its name', async url => {
    const failure = await fill('1'.repeat(40), at(url)).catch(error => error);
    expect(failure).toMatchObject({ code: 'build-failed' });
    expect(failure.message).toMatch(
      /Submodule "libs\/one" comes from .*Give its https URL in \.gitmodules, or git@HOST:PATH/,
    );
    expect(failure.message).not.toContain('s3cret');
    expect(host.requests).toEqual([]);
  });

  it('that is relative to a repository that was fetched is found beside it', async () => {
    const commit = await host.commit('one', { a: '1' });
    const origin = `${host.url}/smart/blog.git`;
    expect(readdirSync(await fill(commit, at('../one.git'), { origin }))).toEqual(['a']);
    const out = encodeURIComponent('../../../../../../etc');
    await expect(fill(commit, at(`../${out}`), { origin })).rejects.toMatchObject({ code: 'unavailable' });
  });

  describe('by ssh', () => {
    const key = makeSshKeyPair('deploy');
    let there: Awaited<ReturnType<typeof startSshHost>>;
    beforeEach(async () => {
      const serve = uploadPackOf(join(root, 'host/smart'));
      there = await startSshHost(() => ({ code: 128 }), { letIn: key.publicKey, serve });
    });
    afterEach(() => there.close());
    const hosts = '127.0.0.1';
    const url = (path = 'one.git') => `ssh://git@127.0.0.1:${there.port}/${path}`;
    const sshIdentity = (): SshIdentity => ({
      privateKey: key.privateKey,
      knownHosts: [`[127.0.0.1]:${there.port} ${there.hostKey.split(' ').slice(0, 2).join(' ')}`],
    });
    const refuse = (): never => {
      throw new WherryError('access-denied', 'Others deploy it.');
    };

    it('is fetched with the deploy key, and so is one named by its place beside it', async () => {
      const inmost = await host.commit('inmost', { b: 'inmost' });
      const list = written({ path: 'deep/in', url: '../inmost.git' });
      const commit = await host.commit('one', { a: 'one', '.gitmodules': list }, { 'deep/in': inmost });
      const dir = await fill(commit, at(url()), { hosts, sshIdentity });
      expect(readFileSync(join(dir, 'deep/in/b'), 'utf8')).toBe('inmost');
      const origin = url('blog.git');
      expect(await fill(inmost, at('../inmost.git'), { hosts, origin, sshIdentity })).toBeDefined();
    });

    it('is not given to an app that must not use the key, though it is cached', async () => {
      const commit = await host.commit('one', { a: 'one' });
      await fill(commit, at(url()), { hosts, sshIdentity });
      await expect(fill(commit, at(url()), { hosts, sshIdentity: refuse })).rejects.toMatchObject({
        code: 'access-denied',
        message: 'Submodule "libs/one": Others deploy it.',
      });
      await expect(fill(commit, at(url('two.git')), { hosts })).rejects.toMatchObject({ code: 'not-found' });
    });
  });

  it('that is relative to a repository that was pushed is refused with the way out', async () => {
    await expect(fill('1'.repeat(40), at('../one.git'))).rejects.toThrow(
      /Give its whole https URL in \.gitmodules/,
    );
  });

  it('is not fetched from inside the network, and one that is not there is told by its name', async () => {
    const commit = await host.commit('one', { a: '1' });
    const url = `${host.url}/smart/one.git`;
    const named = (code: string) =>
      expect.objectContaining({ code, message: expect.stringMatching(/^Submodule "libs\/one": /) });
    await expect(fill(commit, at(url), { hosts: '' })).rejects.toEqual(named('access-denied'));
    await expect(fill('1'.repeat(40), at(url))).rejects.toEqual(named('not-found'));
    await expect(fill(commit, at(`${host.url}/smart/none.git`))).rejects.toEqual(named('unavailable'));
  });

  it('is not named by a file that is no list, or that includes another', async () => {
    const url = `${host.url}/smart/one.git`;
    await expect(fill('1'.repeat(40), '[submodule')).rejects.toThrow(/\.gitmodules cannot be read/);
    const other = join(root, 'other');
    writeFileSync(other, written({ path: 'libs/one', url }));
    chmodSync(other, 0o644);
    await fill('1'.repeat(40), `[include]\n\tpath = ${other}\n`);
    expect(warnings.join()).toContain('is left out');
    expect(host.requests).toEqual([]);
  });
});
