import { beforeEach, describe, expect, it } from 'vitest';
import { pushHandler } from '../../src/deploy/push-handler.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
  await bench.run('git:set', 'blog', 'deploy-branch', 'main');
  bench.heads.set('blog', '1'.repeat(40));
});

describe('apps:lock', () => {
  it('refuses whatever would deploy the app, naming who locked it, until it is unlocked', async () => {
    expect(await bench.run('apps:lock', 'blog')).toEqual({
      code: 0,
      stdout: '-----> Deploy lock created\n',
      stderr: '',
    });
    for (const words of [
      ['ps:rebuild', 'blog'],
      ['rollback', 'blog'],
      ['ps:rebase', 'blog'],
      ['git:from-image', 'blog', 'registry.example.org/blog:1'],
    ]) {
      const { code, stderr } = await bench.run(...words);
      expect(code, words.join(' ')).toBe(22);
      expect(stderr).toMatch(
        / ! {5}blog currently has a deploy lock in place \(by local since .*\)\. Exiting\.\.\.\n ! {5}Run 'apps:unlock blog'/,
      );
    }
    expect(bench.asked).toEqual([]);
    expect(bench.pulled).toEqual([]);
    expect((await bench.run('apps:unlock', 'blog')).stdout).toBe('-----> Deploy lock removed\n');
    expect((await bench.run('ps:rebuild', 'blog')).code).toBe(0);
  });

  it('lets config, scale and restarts go on', async () => {
    await bench.run('apps:lock', 'blog');
    expect((await bench.run('config:set', 'blog', 'A=1')).code).toBe(0);
    expect((await bench.run('ps:scale', 'blog', 'worker=1')).code).toBe(0);
    expect((await bench.run('ps:restart', 'blog')).code).toBe(0);
  });

  it('is told by the status of apps:locked and in the report', async () => {
    expect(await bench.run('apps:locked', 'blog')).toEqual({ code: 1, stdout: '', stderr: '' });
    await bench.run('apps:lock', 'blog');
    await bench.run('apps:lock', 'blog');
    expect((await bench.run('apps:locked', 'blog')).code).toBe(0);
    expect((await bench.run('apps:report', 'blog', '--app-locked')).stdout).toBe('true\n');
    expect((await bench.run('apps:locked', 'blog', '--format', 'json')).stdout).toBe(
      '{"app":"blog","locked":true}\n',
    );
    for (const verb of ['lock', 'unlock', 'locked'])
      expect((await bench.run(`apps:${verb}`, 'nobody')).code, verb).toBe(20);
  });
});

describe('apps:report', () => {
  it('tells what brought the live release', async () => {
    const report = async () =>
      JSON.parse((await bench.run('apps:report', 'blog', '--format', 'json')).stdout);
    expect(await report()).toMatchObject({
      'deploy-source': 'git',
      'deploy-source-metadata': '1'.repeat(40),
      dir: expect.stringMatching(/\/repos\/blog\.git$/),
      locked: 'false',
    });
    await bench.run('git:from-image', 'blog', 'registry.example.org/blog:1');
    expect(await report()).toMatchObject({
      'deploy-source': 'docker-image',
      'deploy-source-metadata': 'registry.example.org/blog:1',
    });
  });
});

describe('apps:set --global disable-autocreation', () => {
  const admit = (name: string) =>
    pushHandler({ store: bench.store, autocreate: true, deployer: () => bench.deployer }).admit(
      parseAppName(name),
      { name: 'ann', via: 'ssh' },
    );

  it('keeps a push from making an app, until it is unset', async () => {
    expect((await bench.run('apps:set', '--global', 'disable-autocreation', 'true')).stdout).toBe(
      '=====> Setting disable-autocreation to true\n',
    );
    await admit('blog');
    await expect(admit('fresh')).rejects.toThrow('App fresh does not exist');
    expect(bench.store.apps.find(parseAppName('fresh'))).toBeUndefined();
    await bench.run('apps:set', '--global', 'disable-autocreation');
    await admit('fresh');
    expect(bench.store.apps.find(parseAppName('fresh'))).toBeDefined();
  });

  it.each([
    [['blog', 'disable-autocreation', 'true']],
    [['--global', 'nothing', 'true']],
    [['--global', 'disable-autocreation', 'maybe']],
  ])('refuses %j', async words => expect((await bench.run('apps:set', ...words)).code).toBe(1));
});
