import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  bench.store.people.remove('ann');
  await bench.run('apps:create', 'blog');
  await bench.run('apps:create', 'shop');
});
const json = async (...words: string[]) => JSON.parse((await bench.run(...words, '--format', 'json')).stdout);

describe('access:grant', () => {
  it('gives a role on an app or everywhere, in place of the one before', async () => {
    await bench.run('access:grant', 'bob', 'viewer', 'blog');
    await bench.run('access:grant', 'bob', 'deployer', '--app', 'blog');
    expect(await json('access:grant', 'bob', 'viewer')).toEqual({ user: 'bob', role: 'viewer', app: null });
    expect(await json('access:list', 'bob')).toEqual([
      { user: 'bob', role: 'viewer', app: null, keys: 0 },
      { user: 'bob', role: 'deployer', app: 'blog', keys: 0 },
    ]);
  });

  it.each([
    [['bob', 'king'], 1, /"king" is not a role\. Known are: viewer, deployer, admin, owner/],
    [['b ob', 'viewer'], 1, /User name "b ob" is not valid/],
    [['bob', 'viewer', 'gone'], 20, /App gone does not exist/],
    [['bob', 'owner', 'blog'], 1, /Give the role admin on an app/],
    [['bob'], 2, /<role> is missing/],
  ])('refuses %j', async (words, code, message) => {
    const refused = await bench.run('access:grant', ...words);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toMatch(message);
    expect(bench.store.people.list()).toEqual([]);
  });

  it('holds through a rename, and goes with the app', async () => {
    await bench.run('access:grant', 'bob', 'viewer', 'blog');
    await bench.run('apps:rename', 'blog', 'news');
    expect((await json('access:list', 'bob'))[0]).toMatchObject({ role: 'viewer', app: 'news' });
    await bench.run('apps:destroy', 'news', '--force');
    await bench.run('apps:create', 'news');
    expect(await json('access:list', 'bob')).toEqual([{ user: 'bob', role: null, app: null, keys: 0 }]);
  });
});

describe('access:revoke', () => {
  beforeEach(async () => {
    await bench.run('access:grant', 'bob', 'owner');
    await bench.run('access:grant', 'bob', 'admin', 'blog');
  });

  it('takes one role, and warns when no owner is left', async () => {
    expect((await bench.run('access:revoke', 'bob')).stderr).toMatch(/No owner is left/);
    expect(await json('access:list', 'bob')).toEqual([{ user: 'bob', role: 'admin', app: 'blog', keys: 0 }]);
    expect((await bench.run('access:revoke', 'bob')).stderr).toMatch(/bob has no role everywhere/);
    expect((await bench.run('access:revoke', 'bob', 'shop')).stderr).toMatch(/no role on app shop/);
  });

  it('makes a user go with all that is theirs', async () => {
    await bench.run('ssh-keys:add', 'bob', 'ssh-ed25519', key);
    expect((await bench.run('access:revoke', 'bob', '--all')).code).toBe(0);
    expect(bench.store.keys.list()).toEqual([]);
    expect((await bench.run('access:revoke', 'bob')).stderr).toMatch(/User bob does not exist/);
  });
});

describe('access:list', () => {
  it('tells all who reach an app', async () => {
    await bench.run('access:grant', 'bob', 'viewer', 'blog');
    await bench.run('access:grant', 'eve', 'admin', 'shop');
    await bench.run('access:grant', 'pat', 'deployer');
    const users = (await json('access:list', 'blog')).map(({ user }: { user: string }) => user);
    expect(users).toEqual(['bob', 'pat']);
    expect((await bench.run('access:list')).stdout).toMatch(/eve +admin +shop +0/);
    expect((await bench.run('access:list', 'nobody')).stderr).toMatch(
      /"nobody" is neither a user nor an app/,
    );
  });
});

describe('access:check', () => {
  beforeEach(() => bench.run('access:grant', 'bob', 'deployer', 'blog'));

  it.each([
    ['ps:scale', 'blog', 0],
    ['ps:scale', 'shop', 1],
    ['domains:add', 'blog', 1],
    ['git-push', 'blog', 0],
    ['git-fetch', 'shop', 1],
  ])('tells of %s on %s by exit status %i', async (command, app, code) => {
    const asked = await bench.run('access:check', 'bob', command, app);
    expect(asked).toEqual({ code, stdout: code === 0 ? 'allowed\n' : 'refused\n', stderr: '' });
  });

  it('knows commands that are of no app, and says what it does not know', async () => {
    expect((await bench.run('access:check', 'bob', 'apps:create')).stdout).toBe('refused\n');
    expect((await bench.run('access:check', 'bob', 'version')).stdout).toBe('allowed\n');
    expect((await bench.run('access:check', 'bob', 'ps:scal')).stderr).toMatch(/ps:scal` is not a wherry/);
    expect((await bench.run('access:check', 'zoe', 'version')).stderr).toMatch(/User zoe does not exist/);
  });
});

const key = `AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)}`;
