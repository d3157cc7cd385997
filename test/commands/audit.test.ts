import { beforeEach, describe, expect, it } from 'vitest';
import { guardGit } from '../../src/commands/git-access.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
import type { GitSession } from '../../src/receive/receiver.ts';
import { silentLog } from '../../src/system/log.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const ann: Actor = { name: 'ann', via: 'api', token: 'ci', address: '192.0.2.7' };
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  await bench.run('apps:create', 'shop');
});
const audit = async (actor: Actor, ...words: string[]) =>
  JSON.parse((await bench.runWith({ words: ['audit', ...words, '--format', 'json'], actor })).stdout);

it('tells who wrote what, from where and by which token, without what was written', async () => {
  await bench.runWith({ words: ['config:set', 'blog', 'KEY=sesame'], actor: ann });
  await bench.runWith({ words: ['config:show', 'blog'], actor: ann });
  const entries = await audit(ann, 'blog');
  expect(entries.at(-1)).toMatchObject({
    ...{ user: 'ann', via: 'api', credential: 'ci', address: '192.0.2.7' },
    ...{ command: 'config:set', app: 'blog', args: 'KEY=***', result: 'ok' },
  });
  expect(JSON.stringify(entries)).not.toContain('sesame');
  const { stdout } = await bench.runWith({ words: ['audit', 'blog'], actor: ann });
  expect(stdout).toMatch(/ blog config:set KEY=\*\*\*: ok \(api: ann ci 192\.0\.2\.7\)\n$/);
});

it('tells of what was refused, and of what lost its client', async () => {
  bench.store.people.ensure('bob', new Date());
  await bench.runWith({ words: ['apps:destroy', 'blog', '--force'], actor: { name: 'bob', via: 'ssh' } });
  const gone = AbortSignal.abort(new Error('gone'));
  await bench.runWith({ words: ['ps:scale', 'blog', 'web=2'], actor: ann, signal: gone });
  const told = (await audit(ann, 'blog')).map(({ command, result }: Record<string, string>) => [
    command,
    result,
  ]);
  expect(told[1]).toEqual(['apps:destroy', 'app-not-found']);
  expect(told[2]?.[0]).toBe('ps:scale');
});

it('tells of pushes', async () => {
  const receiver = { receivePack: async () => 1, uploadPack: async () => 0 };
  const session = { app: parseAppName('blog'), actor: ann } as GitSession;
  await guardGit(receiver, { ...bench.services, log: silentLog }).receivePack(session);
  expect((await audit(ann, 'blog')).at(-1)).toMatchObject({ command: 'git-push', result: 'failed' });
});

it('shows an admin of one app that app alone, and a viewer nothing', async () => {
  await bench.run('access:grant', 'bob', 'admin', 'shop');
  const bob: Actor = { name: 'bob', via: 'ssh' };
  const apps = (await audit(bob)).map(({ app }: { app: string }) => app);
  expect(new Set(apps)).toEqual(new Set(['shop']));
  expect((await bench.runWith({ words: ['audit', 'blog'], actor: bob })).code).toBe(20);
  await bench.run('access:grant', 'bob', 'viewer', 'shop');
  expect((await bench.runWith({ words: ['audit', 'shop'], actor: bob })).code).toBe(21);
});

it('goes along with an app that gets another name, and not to the next of its old one', async () => {
  await bench.runWith({ words: ['config:set', 'blog', 'A=1'], actor: ann });
  await bench.run('apps:rename', '--skip-deploy', 'blog', 'journal');
  await bench.run('apps:create', 'blog');
  const commands = async (app: string) =>
    (await audit(ann, app)).map(({ command }: Record<string, string>) => command);
  expect(await commands('journal')).toContain('config:set');
  expect(await commands('blog')).not.toContain('config:set');
});

it('tells of what ran in the app, by the program alone', async () => {
  await bench.deployed('blog');
  await bench.runWith({ words: ['run', '-e', 'A=sesame', 'blog', 'mysql', '-psesame'], actor: ann });
  await bench.runWith({ words: ['run:list', 'blog'], actor: ann });
  expect((await audit(ann, 'blog')).at(-1)).toMatchObject({ command: 'run', args: 'mysql *** --env A=***' });
});

describe('a rename', () => {
  const bob: Actor = { name: 'bob', via: 'ssh' };
  const told = async (actor: Actor, app: string) =>
    (await audit(actor, app)).map(({ app, command, args, other }: Record<string, string>) => [
      `${app} ${command} ${args}`.trim(),
      other,
    ]);

  it('is found under both names, and under a third', async () => {
    await bench.run('apps:rename', '--skip-deploy', 'blog', 'journal');
    expect(await told(ann, 'blog')).toEqual([['blog apps:rename journal --skip-deploy', 'journal']]);
    expect(await told(ann, 'journal')).toEqual([
      ['journal apps:create', null],
      ['blog apps:rename journal --skip-deploy', 'journal'],
    ]);
    await bench.run('apps:rename', '--skip-deploy', 'journal', 'diary');
    expect((await told(ann, 'diary')).map(([words]: [string]) => words)).toEqual([
      'diary apps:create',
      'blog apps:rename journal --skip-deploy',
      'journal apps:rename diary --skip-deploy',
    ]);
  });

  it('that failed is told of the app alone', async () => {
    await bench.run('apps:rename', 'blog', 'shop');
    expect(await told(ann, 'shop')).toEqual([['shop apps:create', null]]);
    expect((await told(ann, 'blog')).at(-1)).toEqual(['blog apps:rename shop', null]);
  });

  it('or a clone tells nobody of an app that they may not see', async () => {
    await bench.deployed('blog');
    await bench.run('apps:clone', '--skip-deploy', 'blog', 'copy');
    await bench.run('access:grant', 'bob', 'admin', 'copy');
    expect((await told(bob, 'copy'))[0]).toEqual(['copy apps:clone ***', null]);
    expect(JSON.stringify(await audit(bob))).not.toContain('blog');
    await bench.run('access:grant', 'bob', 'admin', 'blog');
    expect((await told(bob, 'copy'))[0]).toEqual(['blog apps:clone copy --skip-deploy', 'copy']);
  });
});
