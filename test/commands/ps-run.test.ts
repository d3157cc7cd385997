import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import type { AppName, ProcessType } from '../../src/domain/names.ts';
import type { InstanceView } from '../../src/runtime/runtime.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
  await bench.run('ps:scale', 'blog', 'web=2', 'worker=1');
  bench.runtime.says.instances = [instance('web', 1), instance('web', 2), instance('worker', 1)];
  bench.runtime.told.length = 0;
});

const instance = (type: string, index: number, status: InstanceView['status'] = 'running'): InstanceView => ({
  ...{ id: `blog.${type}.${index}.v1-abcdef`, type: type as ProcessType, index, version: 1, status },
  ...{ since: new Date(0), restarts: 0, memoryLimit: 2 ** 29, promised: 2 ** 29 },
});
const blog = () => bench.store.apps.get('blog' as AppName);
/** What the runtime was told last: the verb, and the counts. */
const told = () => {
  const last = bench.runtime.told.at(-1);
  return last && [last.verb, Object.fromEntries(last.desired.counts)];
};

describe('ps:stop, ps:start and ps:restart of one process', () => {
  it('stop it alone, over restarts of others and deploys, until it is started', async () => {
    expect((await bench.run('ps:stop', 'blog', 'worker')).code).toBe(0);
    expect(told()).toEqual(['scale', { web: 2, worker: 0 }]);
    await bench.run('config:set', 'blog', 'A=1');
    expect(told()).toEqual(['deploy', { web: 2, worker: 0 }]);
    await bench.run('ps:restart', 'blog', 'web');
    expect(told()).toEqual(['deploy', { web: 2, worker: 0 }]);
    expect((await bench.run('ps:scale', 'blog')).stdout).toContain('worker: 1');
    await bench.run('ps:start', 'blog', 'worker');
    expect(told()).toEqual(['scale', { web: 2, worker: 1 }]);
  });

  it.each([
    ['ps:start', 'blog'],
    ['ps:restart', 'blog'],
    ['ps:restart', 'blog', 'worker'],
    ['ps:scale', 'blog', 'worker=1'],
  ])('%s %s %s brings a stopped process back', async (...words) => {
    await bench.run('ps:stop', 'blog', 'worker');
    await bench.run(...words.filter(word => word !== undefined));
    expect(bench.runtime.told.at(-1)?.desired.counts.get('worker' as ProcessType)).toBe(1);
  });

  it('start one process of a stopped app alone', async () => {
    await bench.run('ps:stop', 'blog');
    bench.runtime.says.instances = [];
    await bench.run('ps:start', 'blog', 'worker');
    expect(told()).toEqual(['deploy', { web: 0, worker: 1 }]);
    expect(blog().stopped).toBe(false);
    bench.runtime.says.instances = [instance('worker', 1)];
    await bench.run('ps:start', 'blog');
    expect(told()).toEqual(['scale', { web: 2, worker: 1 }]);
  });

  it('do nothing to what runs already', async () => {
    await bench.run('ps:start', 'blog');
    await bench.run('ps:start', 'blog', 'web');
    expect(bench.runtime.told).toEqual([]);
  });

  it('refuse a process that the release has not, and change nothing', async () => {
    for (const verb of ['start', 'stop', 'restart']) {
      const { code, stderr } = await bench.run(`ps:${verb}`, 'blog', 'clock');
      expect(code, verb).toBe(1);
      expect(stderr).toMatch(/clock is not a process type of blog.*\n.*web, worker/);
    }
    expect(bench.runtime.told).toEqual([]);
  });

  it('leave it as it was stored when it cannot be done', async () => {
    bench.runtime.says.fault = new WherryError('unavailable', 'No memory.');
    expect((await bench.run('ps:stop', 'blog', 'worker')).code).toBe(75);
    bench.runtime.says.fault = undefined;
    await bench.run('config:set', 'blog', 'A=1');
    expect(told()).toEqual(['deploy', { web: 2, worker: 1 }]);
  });
});

describe('--all', () => {
  beforeEach(async () => {
    await bench.deployed('shop');
    await bench.run('apps:create', 'empty');
  });
  const names = () => bench.runtime.told.map(({ desired }) => desired.app.name).sort();

  it.each([['--parallel', '2'], ['--parallel', '-1'], []])(
    'takes every deployed app, %s %s',
    async (...how) => {
      const { code, stdout } = await bench.run('ps:restart', '--all', ...how, '--format', 'json');
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toEqual({ apps: ['blog', 'shop'] });
      expect(names()).toEqual(['blog', 'shop']);
    },
  );

  it('goes on past one that fails, and tells how many did', async () => {
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    const { code, stderr } = await bench.run('ps:restart', '--all');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /blog: It did not listen\.\n.*shop: It did not listen\.\n.*restart command returned 2 errors/,
    );
  });

  it('never runs two things on one app at once', async () => {
    let running = 0;
    let most = 0;
    bench.runtime.says.during = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all([bench.run('ps:restart', '--all'), bench.run('ps:restart', 'blog')]);
    expect(bench.runtime.told).toHaveLength(3);
    await bench.run('ps:restart', '--all', '--parallel', '2');
    expect(most).toBe(2);
  });

  it.each([
    [['ps:restart'], 1],
    [['ps:restart', 'blog', '--all'], 2],
    [['ps:stop', '--all', '--parallel', '0'], 1],
    [['ps:stop', '--all', '--parallel', 'many'], 1],
    [['ps:rebuild'], 1],
  ])('refuses %j', async (words, status) => {
    expect((await bench.run(...words)).code).toBe(status);
    expect(bench.runtime.told).toEqual([]);
  });
});

describe('ps:restore', () => {
  it('starts what should run and does not, and nothing that was stopped by hand', async () => {
    await bench.deployed('shop');
    await bench.run('ps:stop', 'shop');
    bench.runtime.says.instances = [];
    expect((await bench.run('ps:restore')).code).toBe(0);
    expect(bench.runtime.told.map(({ desired }) => desired.app.name)).toEqual(['blog']);
    expect((await bench.run('ps:restore', 'nobody')).code).toBe(20);
  });
});

describe('ps:retire', () => {
  it('shows what is on its way out alone', async () => {
    expect((await bench.run('ps:retire')).stdout).toBe('');
    bench.runtime.says.instances = [instance('web', 1), instance('web', 2, 'stopped')];
    expect((await bench.run('ps:retire')).stdout).toBe(
      'blog  blog.web.2.v1-abcdef  since 1970-01-01T00:00:00.000Z\n',
    );
  });
});

describe('ps:set', () => {
  const report = async () =>
    JSON.parse((await bench.run('ps:report', 'blog', '--format', 'json')).stdout) as Record<string, string>;

  it('sets for one app or all, and is reported as set, for all, and as it works out', async () => {
    expect(await report()).toMatchObject({
      'ps-restart-policy': '',
      'ps-global-restart-policy': '',
      'ps-computed-restart-policy': 'always',
      'ps-computed-stop-timeout-seconds': '30',
      'ps-computed-procfile-path': 'Procfile',
    });
    await bench.run('ps:set', '--global', 'restart-policy', 'no');
    expect((await bench.run('ps:set', 'blog', 'restart-policy', 'on-failure:10')).stdout).toBe(
      '=====> Setting restart-policy to on-failure:10\n',
    );
    expect(await report()).toMatchObject({
      'ps-restart-policy': 'on-failure:10',
      'ps-global-restart-policy': 'no',
      'ps-computed-restart-policy': 'on-failure:10',
    });
    expect((await bench.run('ps:report', 'blog', '--ps-computed-restart-policy')).stdout).toBe(
      'on-failure:10\n',
    );
    await bench.run('ps:set', 'blog', 'restart-policy');
    expect((await report())['ps-computed-restart-policy']).toBe('no');
  });

  it('reaches what runs at once, and the next build', async () => {
    await bench.run('ps:restart', 'blog');
    const upkeep = bench.runtime.told.at(-1)?.desired.upkeep;
    await bench.run('ps:set', 'blog', 'restart-policy', 'on-failure:3');
    await bench.run('ps:set', 'blog', 'stop-timeout-seconds', '90');
    expect(upkeep?.()).toEqual({ restart: { kind: 'on-failure', most: 3 }, stopTimeout: 90_000 });
    await bench.run('ps:set', 'blog', 'procfile-path', 'deploy/Procfile');
    await bench.run('git:set', 'blog', 'deploy-branch', 'main');
    bench.heads.set('blog', '1'.repeat(40));
    await bench.run('ps:rebuild', 'blog');
    expect(bench.asked.map(({ procfilePath }) => procfilePath)).toEqual(['deploy/Procfile']);
  });

  it.each([
    ['restart-policy', 'sometimes'],
    ['restart-policy', 'on-failure:0'],
    ['restart-policy', 'on-failure:-1'],
    ['restart-policy', 'on-failure:99999'],
    ['stop-timeout-seconds', '0'],
    ['stop-timeout-seconds', '1e9'],
    ['procfile-path', '../Procfile'],
    ['procfile-path', '/etc/passwd'],
    ['nothing', '1'],
  ])('refuses %s %s', async (property, value) => {
    expect((await bench.run('ps:set', 'blog', property, value)).code).toBe(1);
    expect((await report())[`ps-${property}`] ?? '').toBe('');
  });
});

describe('ps:inspect', () => {
  it('is JSON with the command and the names of the environment, and no value of it', async () => {
    await bench.run('config:set', 'blog', 'TOKEN=top-secret');
    bench.runtime.says.instances = [
      { ...instance('web', 1), version: 2 },
      { ...instance('web', 2), version: 9 },
    ];
    const { stdout } = await bench.run('ps:inspect', 'blog');
    expect(stdout).not.toContain('top-secret');
    const [one, other] = JSON.parse(stdout);
    expect(one).toMatchObject({
      id: 'blog.web.1.v1-abcdef',
      status: 'running',
      command: ['bash', '-c', 'run web'],
      env: { TOKEN: '[REDACTED]' },
    });
    expect(other).not.toHaveProperty('command');
    expect((await bench.run('ps:inspect', 'nobody')).code).toBe(20);
  });
});
