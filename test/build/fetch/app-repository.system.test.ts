import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FetchRequest } from '../../../src/build/builder.ts';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import { fetchAppCommit } from '../../../src/build/fetch/app-repository.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { readProxies } from '../../../src/system/proxy.ts';
import { ensureSystemUser } from '../../../src/system/system-user.ts';
import { must } from '../../support/run.ts';
import { type BuildpackHost, openBuildpackHost } from '../support/buildpack-host.ts';
import { makeCertificate } from '../support/certificate.ts';
import { openProxy } from '../support/proxy-host.ts';

let root: string;
let host: BuildpackHost;
let repo: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'wherry-sync-'));
  chmodSync(root, 0o755);
  host = await openBuildpackHost(join(root, 'host'));
  repo = join(root, 'app.git');
  await must('git', ['init', '--quiet', '--bare', repo]);
  mkdirSync(join(repo, 'objects/new'));
  const { uid, gid } = await ensureSystemUser('wherry-git');
  await must('chown', ['-R', `${uid}:${gid}`, repo]);
  await chown(join(repo, 'objects/new'), uid, gid);
});
afterEach(async () => {
  await host.close();
  rmSync(root, { recursive: true, force: true });
});

const quiet = { header() {}, step() {}, detail() {}, raw() {}, warn() {} };
type More = { ref?: string; hosts?: string; login?: string; caFile?: string; proxy?: string };
async function fetch(url: string, { ref, hosts = host.host, login, caFile, proxy }: More = {}) {
  const request: FetchRequest = {
    url: new URL(url),
    ref,
    objects: { into: join(repo, 'objects/new'), known: join(repo, 'objects') },
    progress: quiet,
    signal: new AbortController().signal,
  };
  const [user = '', password = ''] = login?.split(':') ?? [];
  return await fetchAppCommit(request, {
    cache: join(root, 'cache'),
    clock,
    rules: {
      allowed: parseAllowedHosts(hosts),
      caFile,
      proxies: readProxies(proxy === undefined ? {} : { HTTPS_PROXY: proxy }),
    },
    login: () => (login === undefined ? undefined : { user, password }),
  });
}
const packs = () => readdirSync(join(repo, 'objects/new/pack')).filter(name => name.endsWith('.pack'));
const count = async (name: string) => {
  const shown = await must('git', ['show-index'], { cwd: repo, input: readFileSync(name) });
  return shown.trim().split('\n').length;
};

describe('the code of an app in a repository elsewhere', () => {
  it('is fetched with its history, into the folder that was named and nowhere else', async () => {
    const first = await host.commit('blog', { a: '1' });
    const second = await host.commit('blog', { a: '2' });
    expect(await fetch(`${host.url}/smart/blog.git`)).toEqual({ commit: second, branch: 'main' });
    expect(packs()).toHaveLength(1);
    const env = { GIT_OBJECT_DIRECTORY: join(repo, 'objects/new'), PATH: process.env['PATH'] ?? '' };
    const log = await must('git', ['-c', 'safe.directory=*', 'log', '--format=%H', second], {
      cwd: repo,
      env,
    });
    expect(log.trim().split('\n')).toEqual([second, first]);
    expect(await must('git', ['-c', 'safe.directory=*', 'for-each-ref'], { cwd: repo })).toBe('');
    expect(readdirSync(join(root, 'cache/repositories'))).toEqual([]);
  });

  it('comes without what the app has already', async () => {
    const first = await host.commit(
      'blog',
      Object.fromEntries([...Array(50)].map((_, n) => [`f${n}`, `${n}`])),
    );
    await fetch(`${host.url}/smart/blog.git`);
    for (const name of readdirSync(join(repo, 'objects/new/pack')))
      await must('mv', [join(repo, 'objects/new/pack', name), join(repo, 'objects/pack', name)]);
    await must('git', ['-c', 'safe.directory=*', 'update-ref', 'refs/heads/main', first], { cwd: repo });
    const second = await host.commit('blog', { f0: 'changed' });
    expect(await fetch(`${host.url}/smart/blog.git`)).toEqual({ commit: second, branch: 'main' });
    const [pack = ''] = packs();
    // A commit, its folder and one file.
    expect(await count(join(repo, 'objects/new/pack', pack.replace('.pack', '.idx')))).toBeLessThanOrEqual(4);
  });

  it('is a branch, a tag, a commit or a short commit', async () => {
    const first = await host.commit('blog', { a: '1' });
    await host.tag('blog', 'v1');
    const second = await host.commit('blog', { a: '2' });
    const url = `${host.url}/smart/blog.git`;
    expect(await fetch(url, { ref: 'main' })).toEqual({ commit: second, branch: 'main' });
    for (const ref of ['v1', first, first.slice(0, 9)])
      expect(await fetch(url, { ref })).toEqual({ commit: first });
    await expect(fetch(url, { ref: 'v9' })).rejects.toMatchObject({ code: 'not-found' });
    await expect(fetch(url, { ref: '1'.repeat(40) })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is not taken from a host that hands out files instead of speaking the protocol', async () => {
    await host.commit('blog', { a: '1' });
    await expect(fetch(`${host.url}/dumb/blog.git`)).rejects.toThrow(/does not speak git's protocol/);
  });

  it('is not fetched from inside the network, nor by a redirect', async () => {
    await host.commit('blog', { a: '1' });
    await expect(fetch(`${host.url}/smart/blog.git`, { hosts: '' })).rejects.toMatchObject({
      code: 'access-denied',
    });
    const metadata = encodeURIComponent('http://169.254.169.254/latest');
    await expect(fetch(`${host.url}/to/302/${metadata}`)).rejects.toMatchObject({ code: 'access-denied' });
  });
});

describe('a repository that is not open to everybody', () => {
  it('names the command that tells who we are', async () => {
    await host.commit('blog', { a: '1' });
    host.lock.login = 'ann:secret';
    await expect(fetch(`${host.url}/smart/blog.git`)).rejects.toMatchObject({
      code: 'access-denied',
      hint: expect.stringContaining(`git:auth ${host.host}`),
    });
  });

  it('is fetched with the login, by https alone, and no other host is told it', async () => {
    const { file: caFile, tls } = await makeCertificate(root);
    const secure = await openBuildpackHost(join(root, 'secure'), tls);
    try {
      const commit = await secure.commit('blog', { a: '1' });
      secure.lock.login = 'ann:s3cr:et';
      const hosts = `${host.host},${secure.host}`;
      const login = 'ann:s3cr';
      await expect(fetch(`${secure.url}/smart/blog.git`, { hosts, login, caFile })).rejects.toMatchObject({
        code: 'access-denied',
      });
      secure.lock.login = login;
      expect(await fetch(`${secure.url}/smart/blog.git`, { hosts, login, caFile })).toMatchObject({ commit });
      expect(readdirSync(join(root, 'cache/repositories'))).toEqual([]);

      await host.commit('blog', { a: '1' });
      await fetch(`${host.url}/smart/blog.git`, { login });
      const elsewhere = encodeURIComponent(`${host.url}/smart/blog.git/info/refs?service=git-upload-pack`);
      await fetch(`${secure.url}/to/302/${elsewhere}`, { hosts, login, caFile });
      expect(host.told).toEqual([]);
    } finally {
      await secure.close();
    }
  });
});

describe("the operator's proxy", () => {
  it('is what a repository is fetched through, also one that only the proxy knows', async () => {
    const { file: caFile, tls } = await makeCertificate(root);
    const secure = await openBuildpackHost(join(root, 'secure'), tls);
    const proxy = await openProxy('ann:s3cret');
    try {
      const commit = await secure.commit('blog', { a: '1' });
      secure.lock.login = 'bob:token';
      const url = secure.url.replace('127.0.0.1', 'git.test');
      const how = { hosts: '', login: 'bob:token', caFile, proxy: proxy.url };
      expect(await fetch(`${url}/smart/blog.git`, how)).toEqual({ commit, branch: 'main' });
      const { host: target } = new URL(url);
      expect(proxy.asked.length).toBeGreaterThan(2);
      expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${target}`]));
      await expect(fetch(`${secure.url}/smart/blog.git`, how)).rejects.toMatchObject({
        code: 'access-denied',
      });
    } finally {
      await proxy.close();
      await secure.close();
    }
  });
});
