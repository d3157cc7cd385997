import { beforeEach, describe, expect, it } from 'vitest';
import { decide, type Subject } from '../../src/commands/authorise.ts';
import type { Access } from '../../src/commands/define.ts';
import { guardGit } from '../../src/commands/git-access.ts';
import { type AppName, parseAppName } from '../../src/domain/names.ts';
import type { Grant, Principal, Role, Scope } from '../../src/domain/people.ts';
import type { Actor } from '../../src/domain/push.ts';
import type { GitSession } from '../../src/receive/receiver.ts';
import { silentLog } from '../../src/system/log.ts';
import { type Bench, createBench } from './support.ts';

const blog = parseAppName('blog');
const shop = parseAppName('shop');
const on = (app: AppName): Subject => ({ kind: 'app', app });
const apps: Subject = { kind: 'apps' };
const shared: Subject = { kind: 'shared' };

function person(grants: readonly Grant[], scope?: Scope): Principal {
  return { user: 'bob', grants, ...(scope ? { scope } : {}) };
}

describe('a role everywhere', () => {
  const accesses: readonly Access[] = [
    'public',
    { app: 'read' },
    { app: 'deploy' },
    { app: 'write' },
    'admin',
    'owner',
  ];
  it.each<[Role, number]>([
    ['viewer', 2],
    ['deployer', 3],
    ['admin', 5],
    ['owner', 6],
  ])('of %s allows the first %i accesses and refuses the others', (role, allowed) => {
    const decisions = accesses.map(access => decide(person([{ role }]), access, on(blog)));
    expect(decisions).toEqual(accesses.map((_, at) => (at < allowed ? 'allowed' : 'refused')));
  });
});

describe('a role on one app', () => {
  const bob = person([{ role: 'admin', app: blog }]);
  it('counts there, and hides the others', () => {
    expect(decide(bob, { app: 'write' }, on(blog))).toBe('allowed');
    expect(decide(bob, { app: 'read' }, on(shop))).toBe('hidden');
  });
  it('is none for what is of all apps or of the host', () => {
    expect(decide(bob, { app: 'read' }, shared)).toBe('refused');
    expect(decide(bob, 'admin', on(blog))).toBe('refused');
  });
  it('is enough for lists, which then hold that app', () => {
    expect(decide(bob, { app: 'write' }, apps)).toBe('allowed');
    expect(decide(person([{ role: 'viewer', app: blog }]), { app: 'deploy' }, apps)).toBe('refused');
  });
  it('adds to one everywhere, and never takes from it', () => {
    const both = person([{ role: 'deployer' }, { role: 'viewer', app: blog }, { role: 'admin', app: shop }]);
    expect(decide(both, { app: 'deploy' }, on(blog))).toBe('allowed');
    expect(decide(both, { app: 'write' }, on(shop))).toBe('allowed');
    expect(decide(both, { app: 'write' }, on(blog))).toBe('refused');
  });
});

it('keeps what reaches all apps, and its secrets, for those who may change all apps', () => {
  expect(decide(person([{ role: 'deployer' }]), { app: 'deploy' }, shared)).toBe('refused');
  expect(decide(person([{ role: 'admin' }]), { app: 'deploy' }, shared)).toBe('allowed');
});

describe('the scope of a token', () => {
  it('narrows the role of its user, and never widens it', () => {
    const token = (role: Role) => ({ role, apps: undefined });
    expect(decide(person([{ role: 'owner' }], token('viewer')), { app: 'deploy' }, on(blog))).toBe('refused');
    expect(decide(person([{ role: 'viewer' }], token('owner')), { app: 'deploy' }, on(blog))).toBe('refused');
    expect(decide(person([], token('owner')), { app: 'read' }, on(blog))).toBe('hidden');
  });
  it('narrows the apps, and then nothing is left of the host', () => {
    const owner = person([{ role: 'owner' }], { role: undefined, apps: [blog] });
    expect(decide(owner, { app: 'write' }, on(blog))).toBe('allowed');
    expect(decide(owner, { app: 'read' }, on(shop))).toBe('hidden');
    expect(decide(owner, 'admin', on(blog))).toBe('refused');
    expect(decide(owner, { app: 'deploy' }, apps)).toBe('allowed');
  });
});

describe('commands', () => {
  let bench: Bench;
  const bob: Actor = { name: 'bob', via: 'ssh' };
  const asBob = (...words: string[]) => bench.runWith({ words, actor: bob });
  beforeEach(async () => {
    bench = createBench();
    await bench.deployed('blog');
    await bench.deployed('shop');
    bench.store.people.ensure('bob', new Date());
  });
  const grant = (role: Role, app?: string) =>
    bench.store.people.grant(
      'bob',
      role,
      app === undefined ? undefined : bench.store.apps.get(parseAppName(app)),
    );

  it.each([['ps:report'], ['config:set', 'A=1'], ['apps:destroy', '--force'], ['events'], ['apps:exists']])(
    '%s answers for an app that is not to be seen as for one that is not there',
    async (name, ...rest) => {
      grant('viewer', 'shop');
      const hidden = await asBob(name, 'blog', ...rest);
      const missing = await asBob(name, 'gone', ...rest);
      expect(hidden.code).toBe(20);
      expect({ ...hidden, stderr: hidden.stderr.replaceAll('blog', 'gone') }).toEqual(missing);
    },
  );

  it('lists only what one may see', async () => {
    grant('viewer', 'shop');
    expect((await asBob('apps:list', '--quiet')).stdout).toBe('shop\n');
    expect(Object.keys(JSON.parse((await asBob('ps:report', '--format', 'json')).stdout))).toEqual(['shop']);
    expect(Object.keys(JSON.parse((await asBob('disk:report', '--format', 'json')).stdout).apps)).toEqual([
      'shop',
    ]);
  });

  it('tells events of one’s own apps alone', async () => {
    await bench.run('ps:scale', 'blog', 'web=2');
    await bench.run('ps:scale', 'shop', 'web=2');
    grant('viewer', 'shop');
    const { stdout } = await asBob('events');
    expect(stdout).toContain(' shop ');
    expect(stdout).not.toContain('blog');
  });

  it('does a thing to all apps that one may do it to', async () => {
    grant('deployer', 'shop');
    grant('viewer', 'blog');
    const { stdout } = await asBob('ps:stop', '--all', '--format', 'json');
    expect(JSON.parse(stdout)).toEqual({ apps: ['shop'] });
  });

  it('says which role a refused command needs', async () => {
    grant('viewer', 'shop');
    const { code, stderr } = await asBob('ps:scale', 'shop', 'web=2');
    expect(code).toBe(21);
    expect(stderr).toMatch(/ps:scale on app shop needs the role deployer\. bob is viewer there/);
    expect((await asBob('apps:create', 'new')).code).toBe(21);
  });

  it('lets a user without any role see that Wherry is there, and no more', async () => {
    expect((await asBob('version')).code).toBe(0);
    expect((await asBob('apps:list', '--quiet')).stdout).toBe('');
    expect((await asBob('ssh-keys:list')).code).toBe(21);
  });
});

describe('git', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = createBench();
    await bench.deployed('blog');
    bench.store.people.ensure('bob', new Date());
  });
  const ask = (verb: 'receivePack' | 'uploadPack', app: string) => {
    const receiver = { receivePack: async () => 0, uploadPack: async () => 0 };
    const session = { app: parseAppName(app), actor: { name: 'bob', via: 'ssh' } } as GitSession;
    return guardGit(receiver, { ...bench.services, log: silentLog })[verb](session);
  };

  it('takes pushes from a deployer, and lets a viewer fetch', async () => {
    bench.store.people.grant('bob', 'viewer', bench.store.apps.get(blog));
    expect(await ask('uploadPack', 'blog')).toBe(0);
    await expect(ask('receivePack', 'blog')).rejects.toMatchObject({ code: 'access-denied' });
    bench.store.people.grant('bob', 'deployer', bench.store.apps.get(blog));
    expect(await ask('receivePack', 'blog')).toBe(0);
  });

  it('makes an app by a push for an admin of all alone', async () => {
    bench.store.people.grant('bob', 'deployer');
    await expect(ask('receivePack', 'new')).rejects.toMatchObject({ code: 'app-not-found' });
    bench.store.people.grant('bob', 'admin');
    expect(await ask('receivePack', 'new')).toBe(0);
  });

  it.each(['receivePack', 'uploadPack'] as const)('hides apps from %s', async verb => {
    await expect(ask(verb, 'blog')).rejects.toMatchObject({ message: 'App blog does not exist' });
    await expect(ask(verb, 'gone')).rejects.toMatchObject({ message: 'App gone does not exist' });
  });
});
