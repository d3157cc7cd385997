import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FetchRequest } from '../../../src/build/builder.ts';
import { parseAllowedHosts } from '../../../src/build/fetch/addresses.ts';
import { fetchAppCommit } from '../../../src/build/fetch/app-repository.ts';
import { createHostKeyScan } from '../../../src/build/fetch/host-keys.ts';
import type { SshIdentity } from '../../../src/build/fetch/ssh-access.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { readProxies } from '../../../src/system/proxy.ts';
import { makeSshKeyPair } from '../../../src/system/ssh-key-pair.ts';
import { ensureSystemUser } from '../../../src/system/system-user.ts';
import { must } from '../../support/run.ts';
import { startSshHost } from '../../support/ssh-host.ts';
import { type BuildpackHost, openBuildpackHost } from '../support/buildpack-host.ts';
import { makeCertificate } from '../support/certificate.ts';
import { openProxy } from '../support/proxy-host.ts';
import { uploadPackOf } from '../support/upload-pack.ts';

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
type More = {
  ref?: string;
  hosts?: string;
  login?: string;
  caFile?: string;
  proxy?: string;
  identity?: SshIdentity;
};
async function fetch(url: string, { ref, hosts = host.host, login, caFile, proxy, identity }: More = {}) {
  const request: FetchRequest = {
    app: parseAppName('blog'),
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
    sshIdentity: () => identity,
    login: () => (login === undefined ? undefined : { user, password, scope: 'blog' }),
  });
}
const packs = () => readdirSync(join(repo, 'objects/new/pack')).filter(name => name.endsWith('.pack'));
const count = async (name: string) => {
  const shown = await must('git', ['show-index'], { cwd: repo, input: readFileSync(name) });
  return shown.trim().split('\n').length;
};

describe('a repository by ssh', () => {
  const key = makeSshKeyPair('deploy');
  const other = makeSshKeyPair('other').publicKey;
  const hosts = '127.0.0.1';
  let there: Awaited<ReturnType<typeof startSshHost>>;
  beforeEach(async () => {
    there = await startSshHost(() => ({ code: 128 }), {
      letIn: key.publicKey,
      serve: uploadPackOf(join(root, 'host')),
    });
  });
  afterEach(() => there.close());

  const known = (publicKey: string): string =>
    `[127.0.0.1]:${there.port} ${publicKey.split(' ').slice(0, 2).join(' ')}`;
  const identity = (more: Partial<SshIdentity> = {}): SshIdentity => ({
    privateKey: key.privateKey,
    knownHosts: [known(there.hostKey)],
    ...more,
  });
  const url = (name = 'blog'): string => `ssh://git@127.0.0.1:${there.port}/${name}.git`;

  it('is fetched with the deploy key, and leaves nothing behind', async () => {
    await must('git', ['init', '--quiet', '--bare', join(root, 'host/blog.git')]);
    const commit = await commitTo(join(root, 'host/blog.git'));
    const before = readdirSync(tmpdir());
    expect(await fetch(url(), { hosts, identity: identity() })).toEqual({ commit, branch: 'main' });
    expect(packs()).toHaveLength(1);
    const made = readdirSync(tmpdir()).filter(name => !before.includes(name));
    expect(made.filter(name => name.startsWith('wherry-ssh-'))).toEqual([]);
    expect(readdirSync(join(root, 'cache/repositories'))).toEqual([]);
  });

  it.each([
    ['no key', (): SshIdentity | undefined => undefined, 'not-found', /no deploy key yet/],
    ['a host that nobody let in', () => identity({ knownHosts: [] }), 'not-found', /is not known yet/],
    [
      'another host key than is known',
      () => identity({ knownHosts: [known(other)] }),
      'access-denied',
      /is not the one that is known/,
    ],
    [
      'a key that it does not know',
      () => identity({ privateKey: makeSshKeyPair('x').privateKey }),
      'access-denied',
      /does not let the deploy key in/,
    ],
    ['a repository that is not there', () => identity(), 'unavailable', /could not be fetched/],
  ] as const)('with %s is refused with a sentence', async (_what, who, code, message) => {
    const given = who();
    const refused = fetch(url('nothing'), { hosts, ...(given ? { identity: given } : {}) });
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('shows its host keys to whoever lets it in', async () => {
    const { signal } = new AbortController();
    const scan = createHostKeyScan({ allowHosts: hosts });
    const [type = '', blob = ''] = there.hostKey.split(' ');
    const [found] = await scan({ host: hosts, port: there.port }, signal);
    expect(found).toMatchObject({ type, key: blob, fingerprint: expect.stringMatching(/^SHA256:/) });
    const { port } = there;
    await there.close();
    expect(await scan({ host: hosts, port }, signal)).toEqual([]);
    there = await startSshHost(() => ({}));
    const outside = createHostKeyScan({ allowHosts: undefined })({ host: hosts, port }, signal);
    await expect(outside).rejects.toMatchObject({ code: 'access-denied' });
  });

  it('inside this network is refused unless it is allowed', async () => {
    const refused = fetch(url(), { hosts: 'example.org', identity: identity() });
    await expect(refused).rejects.toMatchObject({ code: 'access-denied' });
  });
});

/** A first commit on main. */
async function commitTo(bare: string): Promise<string> {
  const git = async (args: readonly string[]) =>
    (await must('git', ['-C', bare, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args])).trim();
  const tree = await git(['mktree']);
  const commit = await git(['commit-tree', '-m', 'First', tree]);
  await git(['update-ref', 'refs/heads/main', commit]);
  await git(['symbolic-ref', 'HEAD', 'refs/heads/main']);
  return commit;
}

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
      hint: expect.stringContaining(`git:auth APP ${host.host}`),
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
