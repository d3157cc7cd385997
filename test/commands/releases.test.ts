import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
  await bench.run('config:set', 'blog', 'COLOUR=red');
  await bench.run('config:set', 'blog', 'COLOUR=blue', 'SIZE=7');
});

describe('releases', () => {
  it('are listed newest first, with commit, maker and what changed', async () => {
    const { stdout } = await bench.run('releases', 'blog');
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      '=====> blog releases',
      expect.stringMatching(/^release +status +commit +created +by +what$/),
      expect.stringMatching(/^v3 +live +1111111 +\S+Z +local +Set COLOUR, SIZE$/),
    ]);
    const list = JSON.parse((await bench.run('releases', 'blog', '--format', 'json')).stdout);
    expect(list.map((each: { version: number }) => each.version)).toEqual([3, 2, 1]);
  });

  it('are explained one by one, without config values', async () => {
    const { stdout } = await bench.run('releases:info', 'blog', 'v3');
    expect(stdout).toMatch(/Config: +COLOUR SIZE\n/);
    expect(stdout).toMatch(/web: +bash -c run web\n/);
    expect(stdout).not.toMatch(/blue/);
    expect((await bench.run('releases:info', 'blog')).stdout).toMatch(/=====> blog v3/);
  });

  it.each([['v999'], ['999']])('that do not exist (%s) are refused', async version => {
    for (const command of ['releases:info', 'rollback']) {
      const { code, stderr } = await bench.run(command, 'blog', version);
      expect(code).toBe(1);
      expect(stderr).toMatch(/Release v999 of app blog does not exist/);
    }
  });

  it.each([['latest'], ['v'], ['-1'], ['0'], ['1.0'], ['vv1']])('are not named %s', async version => {
    expect((await bench.run('rollback', 'blog', '--', version)).stderr).toMatch(/not a valid version/);
  });
});

describe('rollback', () => {
  it('brings back the release before, or the one that is named', async () => {
    expect((await bench.run('rollback', 'blog')).stdout).toContain(
      '-----> blog v4 is live: Rollback to v2\n',
    );
    expect((await bench.run('config:get', 'blog', 'COLOUR')).stdout).toBe('red\n');
    await bench.run('rollback', 'blog', 'v1');
    expect((await bench.run('config:get', 'blog', 'COLOUR')).code).toBe(1);
  });
});

describe('events', () => {
  it('tell what happened, of one app or all, the newest last', async () => {
    await bench.run('apps:create', 'other');
    const all = (await bench.run('events')).stdout.trim().split('\n');
    expect(all.at(-1)).toMatch(/^\S+Z other create: Created \(local\)$/);
    expect((await bench.run('events', 'blog')).stdout).not.toContain('other');
    expect((await bench.run('events', '-n', '1')).stdout.trim().split('\n')).toHaveLength(1);
  });

  it('of an app that is gone are still told', async () => {
    await bench.run('--force', 'apps:destroy', 'blog');
    expect((await bench.run('events', 'blog')).stdout).toMatch(/destroy: Destroyed/);
  });
});

describe('git:set', () => {
  it('sets and unsets the deploy branch', async () => {
    bench.heads.set('blog', '2'.repeat(40));
    expect((await bench.run('git:set', 'blog', 'deploy-branch', 'main')).stdout).toBe(
      '=====> Setting deploy-branch to main\n',
    );
    expect((await bench.run('git:report', 'blog', '--git-sha')).stdout).toBe(`${'2'.repeat(40)}\n`);
    expect((await bench.run('git:set', 'blog', 'deploy-branch')).stdout).toBe(
      '=====> Unsetting deploy-branch\n',
    );
    expect((await bench.run('git:report', 'blog', '--git-deploy-branch')).stdout).toBe('\n');
  });

  it('refuses another property as dokku does', async () => {
    expect((await bench.run('git:set', 'blog', 'colour', 'red')).stderr).toMatch(
      /Invalid property specified, valid properties include: deploy-branch/,
    );
  });

  it.each([
    ['a b'],
    ['..'],
    ['--upload-pack=x'],
    ['a..b'],
    ['a.lock'],
    ['/a'],
    ['a/'],
    ['a~1'],
    ['x'.repeat(300)],
    ['refs/heads/../x'],
  ])('refuses the branch %j', async branch => {
    expect((await bench.run('git:set', 'blog', 'deploy-branch', '--', branch)).code).toBeGreaterThan(0);
    expect((await bench.run('git:report', 'blog', '--git-deploy-branch')).stdout).toBe('\n');
  });
});
