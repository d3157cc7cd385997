import { beforeEach, expect, it } from 'vitest';
import { guardGit } from '../../src/commands/git-access.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
import type { GitSession } from '../../src/receive/receiver.ts';
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
    ...{ command: 'config:set', app: 'blog', result: 'ok' },
  });
  expect(JSON.stringify(entries)).not.toContain('sesame');
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
  await guardGit(receiver, bench.services).receivePack(session);
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
