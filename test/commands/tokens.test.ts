import { beforeEach, describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../src/commands/authenticate.ts';
import type { Actor } from '../../src/domain/push.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
let now: number;
const ann: Actor = { name: 'ann', via: 'ssh' };
const bob: Actor = { name: 'bob', via: 'ssh' };
beforeEach(async () => {
  bench = createBench();
  now = Date.now();
  await bench.run('apps:create', 'blog');
  await bench.run('apps:create', 'shop');
  await bench.run('access:grant', 'bob', 'deployer', 'blog');
});
const as = (actor: Actor, ...words: string[]) => bench.runWith({ words, actor });
const authenticate = (token: string) =>
  createAuthenticate({ store: bench.store, clock: { now: () => new Date(now) } })(token);
const make = async (actor: Actor, ...words: string[]) =>
  (await as(actor, '--quiet', 'tokens:create', ...words)).stdout.trim();
const comes = (token: string): Actor => {
  const found = authenticate(token);
  if (!found) throw new Error('The token is not known');
  return { ...found, via: 'api' };
};

describe('a token', () => {
  it('is shown once, stored nowhere, and comes as its user', async () => {
    const token = await make(bob, 'me', 'laptop');
    expect(token).toMatch(/^wherry_[\w-]{43}$/);
    expect(authenticate(token)).toMatchObject({ name: 'bob', token: 'laptop' });
    expect((await as(comes(token), 'ps:report', 'blog')).code).toBe(0);
    const listed = await as(bob, 'tokens:list', '--format', 'json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { user: 'bob', name: 'laptop', role: null, apps: null },
    ]);
    const everything = JSON.stringify([
      bench.store.tokens.list(),
      bench.logged,
      bench.store.events.list({ limit: 99 }),
    ]);
    expect(everything).not.toContain(token);
  });

  it.each(['', 'wherry_', `wherry_${'A'.repeat(43)}`, "' OR 1=1 --"])('is not %j', async text => {
    await make(bob, 'me', 'laptop');
    expect(authenticate(text)).toBeUndefined();
  });

  it('ends with its time, its revocation, and its user', async () => {
    const short = await make(bob, 'me', 'short', '--expires', '30d');
    const long = await make(bob, 'me', 'long');
    now += 30 * 86_400_000 + 60_000;
    expect(authenticate(short)).toBeUndefined();
    expect(authenticate(long)).toBeDefined();
    await as(bob, 'tokens:revoke', 'me', 'long');
    expect(authenticate(long)).toBeUndefined();
    const last = await make(bob, 'me', 'last');
    await bench.run('access:revoke', 'bob', '--all');
    expect(authenticate(last)).toBeUndefined();
  });

  it('never exceeds its user, whose rights count as they are now', async () => {
    const token = await make(bob, 'me', 'big', '--role', 'owner');
    expect((await as(comes(token), 'ssh-keys:list')).code).toBe(21);
    expect((await as(comes(token), 'ps:report', 'shop')).code).toBe(20);
    await bench.run('access:revoke', 'bob', 'blog');
    expect((await as(comes(token), 'ps:report', 'blog')).code).toBe(20);
  });

  it('is narrowed to apps and a role, and makes no tokens', async () => {
    const token = comes(await make(ann, 'me', 'ci', '--app', 'blog', '--app', 'shop', '--role', 'viewer'));
    expect(token.scope).toEqual({ role: 'viewer', apps: ['blog', 'shop'] });
    expect((await as(token, 'ps:report', 'shop')).code).toBe(0);
    expect((await as(token, 'ps:scale', 'shop', 'web=2')).code).toBe(21);
    expect((await as(token, 'apps:create', 'new')).code).toBe(21);
    const wide = comes(await make(ann, 'me', 'wide'));
    expect((await as(wide, 'tokens:create', 'me', 'more')).stderr).toMatch(/A token has no say over tokens/);
  });

  it('for an app that is gone is for none', async () => {
    const token = await make(ann, 'me', 'ci', '--app', 'blog');
    await bench.run('apps:destroy', 'blog', '--force');
    await bench.run('apps:create', 'blog');
    expect(comes(token).scope).toEqual({ role: undefined, apps: [] });
    expect((await as(comes(token), 'apps:exists', 'blog')).code).toBe(20);
  });
});

describe('tokens of others', () => {
  it('are for owners', async () => {
    expect((await as(bob, 'tokens:create', 'ann', 'x')).stderr).toMatch(/for owners/);
    expect((await as(bob, 'tokens:list', 'ann')).code).toBe(21);
    expect((await as(bob, 'tokens:list', 'nobody')).code).toBe(21);
    const token = await make(ann, 'bob', 'gift');
    expect(comes(token).name).toBe('bob');
    expect((await as(bob, 'tokens:revoke', 'me', 'gift')).code).toBe(0);
    expect((await as(ann, 'tokens:list', 'nobody')).stderr).toMatch(/User nobody does not exist/);
  });

  it('are listed for owners alone', async () => {
    await make(bob, 'me', 'his');
    await make(ann, 'me', 'hers');
    expect((await as(bob, 'tokens:list')).stdout).not.toContain('hers');
    expect((await as(ann, 'tokens:list')).stdout).toMatch(/ann +hers.*\n(.*\n)*bob +his/);
  });
});

describe('tokens:create', () => {
  it.each([
    [['me', 'ci', '--app', 'shop'], 20, /App shop does not exist/],
    [['me', 'ci', '--app', 'gone'], 20, /App gone does not exist/],
    [['me', 'ci', '--role', 'king'], 1, /"king" is not a role/],
    [['me', 'ci', '--expires', '0'], 1, /A token lives from/],
    [['me', 'ci', '--expires', '9999d'], 1, /A token lives from/],
    [['me', 'ci', '--expires', 'soon'], 1, /not a duration/],
    [['me', '../ci'], 1, /Token name/],
    [['me'], 2, /<name> is missing/],
  ])('refuses %j', async (words, code, message) => {
    const refused = await as(bob, 'tokens:create', ...words);
    expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('refuses a second of the same name, and the host, who is no user', async () => {
    await make(bob, 'me', 'ci');
    expect((await as(bob, 'tokens:create', 'me', 'ci')).code).toBe(22);
    expect((await bench.run('tokens:create', 'me', 'ci')).stderr).toMatch(/User local does not exist/);
  });

  it('refuses the 101st', async () => {
    for (let at = 0; at < 100; at += 1) await make(bob, 'me', `t${at}`);
    expect((await as(bob, 'tokens:create', 'me', 'more')).code).toBe(23);
  });
});

it('a user whose last key goes is told to have tokens', async () => {
  const key = `AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)}`;
  await bench.run('ssh-keys:add', 'bob', 'ssh-ed25519', key);
  await make(bob, 'me', 'ci');
  expect((await bench.run('ssh-keys:remove', 'bob')).stderr).toMatch(/Tokens of bob stay valid/);
});
