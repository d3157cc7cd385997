import { beforeEach, describe, expect, it } from 'vitest';
import { createGitLogins, createSubmoduleKeys } from '../../src/commands/git-logins.ts';
import type { App } from '../../src/domain/app.ts';
import { type Bench, createBench } from './support.ts';

const host = 'git.example.org';
let bench: Bench;
let blog: App;
let shop: App;
beforeEach(async () => {
  bench = createBench();
  [blog, shop] = [await bench.deployed('blog'), await bench.deployed('shop')];
  await bench.run('git:auth', host, 'all', 's3cret');
});

const now = new Date(1_000_000);
const userOf = (app: App) => createGitLogins(bench.store, { now: () => now })(app.name, host)?.user;
const users = () => [userOf(blog), userOf(shop)];
const grant = (role: 'viewer' | 'deployer' | 'admin', app?: App) => {
  bench.store.people.ensure('bob', now);
  bench.store.people.grant('bob', role, app);
};

describe('the login that an app is fetched with', () => {
  it('is its own before that of all, and never that of another app', async () => {
    await bench.run('git:auth', 'blog', host, 'mine', 's3cret');
    expect(users()).toEqual(['mine', 'all']);
    await bench.run('git:auth', host);
    expect(users()).toEqual(['mine', undefined]);
  });

  it.each([
    ['a viewer', 'viewer', ['all', 'all']],
    ['a deployer', 'deployer', [undefined, 'all']],
    ['an admin of the app', 'admin', [undefined, 'all']],
  ] as const)('is that of all in spite of %s or not', (_what, role, expected) => {
    grant(role, blog);
    expect(users()).toEqual(expected);
  });

  it('is not that of all where a deployer of all apps is, and is again when they are gone', async () => {
    grant('deployer');
    expect(users()).toEqual([undefined, undefined]);
    grant('admin');
    expect(users()).toEqual(['all', 'all']);
  });

  it('is not that of all where a token that is for less may deploy, as long as it is good', () => {
    const token = { user: 'ann', name: 'ci', role: 'deployer', apps: [blog], createdAt: now } as const;
    bench.store.tokens.add('secret', { ...token, expiresAt: new Date(now.getTime() + 1) });
    expect(users()).toEqual([undefined, 'all']);
    bench.store.tokens.remove('ann', 'ci');
    bench.store.tokens.add('secret', { ...token, expiresAt: now });
    expect(users()).toEqual(['all', 'all']);
    bench.store.tokens.add('other', { ...token, name: 'look', role: 'viewer', expiresAt: null });
    expect(users()).toEqual(['all', 'all']);
  });

  it('is that of all for apps that are named, until they are not any more, and for no app made from them', async () => {
    grant('deployer');
    await bench.run('git:auth', host, '--apps', 'blog');
    expect(users()).toEqual(['all', undefined]);
    expect((await bench.run('apps:clone', '--skip-deploy', 'blog', 'copy')).code).toBe(0);
    expect(bench.store.apps.list().map(userOf)).toEqual(['all', undefined, undefined]);
    await bench.run('git:auth', host, '--all-apps');
    expect(users()).toEqual(['all', 'all']);
    await bench.run('git:auth', host, 'all', 's3cret');
    expect(users()).toEqual([undefined, undefined]);
  });

  it('goes when the login is forgotten, also who may use the next', async () => {
    grant('deployer');
    await bench.run('git:auth', host, '--apps', 'blog');
    await bench.run('git:auth', host);
    bench.store.credentials.put('git', 'global', { host, user: 'next', password: 'x' });
    expect(users()).toEqual([undefined, undefined]);
  });
});

it('is the deploy key for submodules by ssh, where admins of all apps alone deploy', async () => {
  const keys = createSubmoduleKeys(bench.store, { now: () => now });
  expect(keys(blog.name)).toBeUndefined();
  await bench.run('git:generate-deploy-key');
  expect(keys(blog.name)).toMatchObject({
    privateKey: expect.stringContaining('PRIVATE KEY'),
    knownHosts: [],
  });
  grant('deployer', blog);
  expect(() => keys(blog.name)).toThrow(/others deploy blog. Give its https URL/);
  expect(keys(shop.name)).toBeDefined();
});
