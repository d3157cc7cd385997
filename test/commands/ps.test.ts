import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import type { ProcessType } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

const mib = 2 ** 20;
const web = 'web' as ProcessType;
let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

describe('ps:scale', () => {
  it('shows the counts as dokku does', async () => {
    expect((await bench.run('ps:scale', 'blog')).stdout).toBe(
      '-----> Scaling for blog\nproctype: qty\n--------: ---\nweb:  1\nworker: 0\n',
    );
    expect((await bench.run('--quiet', 'ps:scale', 'blog')).stdout).toBe('web:  1\nworker: 0\n');
    expect((await bench.run('ps:scale', 'blog', '--format', 'json')).stdout).toBe(
      '[{"process_type":"web","quantity":1},{"process_type":"worker","quantity":0}]\n',
    );
    expect(bench.runtime.told).toEqual([]);
  });

  it('sets counts, under its other name too', async () => {
    expect((await bench.run('ps:scale', 'blog', 'web=2')).stdout).toBe(
      '-----> Scaling blog processes: web=2\n',
    );
    const { stdout } = await bench.run('apps:scale', 'blog', 'worker=1', '--format', 'json');
    expect(JSON.parse(stdout)).toEqual([
      { process_type: 'web', quantity: 2 },
      { process_type: 'worker', quantity: 1 },
    ]);
  });

  it.each([['web=-1'], ['web=1000000'], ['web=1.5'], ['none=1']])(
    'refuses %s and changes nothing',
    async pair => {
      expect((await bench.run('ps:scale', 'blog', 'worker=3', pair)).code).toBe(1);
      expect(bench.runtime.told).toEqual([]);
      expect((await bench.run('--quiet', 'ps:scale', 'blog')).stdout).toBe('web:  1\nworker: 0\n');
    },
  );

  it('of an app that was never pushed shows one web', async () => {
    await bench.run('apps:create', 'fresh');
    expect((await bench.run('--quiet', 'ps:scale', 'fresh')).stdout).toBe('web:  1\n');
  });
});

describe('ps:restart and ps:start', () => {
  it('of an app that was never pushed warn and give 0', async () => {
    await bench.run('apps:create', 'fresh');
    for (const command of ['ps:restart', 'ps:start'])
      expect(await bench.run(command, 'fresh')).toEqual({
        code: 0,
        stdout: '',
        stderr: ' !     App fresh has not been deployed\n',
      });
  });

  it('replace the instances', async () => {
    expect((await bench.run('ps:restart', 'blog')).code).toBe(0);
    expect(bench.runtime.told.map(({ verb }) => verb)).toEqual(['deploy']);
  });

  it('make a generation of them that is told from the one before, once it is switched to', async () => {
    const generation = () => bench.runtime.told.at(-1)?.desired.generation;
    await bench.run('ps:restart', 'blog');
    expect(generation()).toBe(1);
    bench.runtime.says.fault = new WherryError('check-failed', 'It does not start.');
    expect((await bench.run('ps:restart', 'blog')).code).not.toBe(0);
    bench.runtime.says.fault = undefined;
    await bench.run('ps:restart', 'blog');
    expect(generation()).toBe(2);
    await bench.run('ps:scale', 'blog', 'worker=2');
    expect(generation()).toBe(2);
  });
});

describe('ps:stop', () => {
  it('is remembered, until ps:start', async () => {
    await bench.run('ps:stop', 'blog');
    expect((await bench.run('ps:report', 'blog', '--restore')).stdout).toBe('false\n');
    await bench.run('ps:start', 'blog');
    expect((await bench.run('ps:report', 'blog', '--restore')).stdout).toBe('true\n');
  });
});

describe('ps:report', () => {
  const instance = (index: number, status: 'running' | 'waiting') => ({
    id: `blog.web.${index}.v1-a1b2c3`,
    type: web,
    index,
    version: 1,
    status,
    since: new Date(),
    restarts: index,
    memoryLimit: 512 * mib,
    promised: 512 * mib,
  });

  it('tells state, memory, peak, restarts and the last end of each instance', async () => {
    bench.runtime.says.instances = [
      { ...instance(2, 'waiting'), lastExit: 'It was killed for memory at its limit of 512m.' },
      instance(1, 'running'),
    ];
    bench.runtime.says.stats = [
      { id: instance(1, 'running').id, memory: 41.5 * mib, memoryPeak: 60 * mib, oomKills: 3 },
    ];
    const stdout = (await bench.run('ps:report', 'blog')).stdout.replace(/: +/g, ': ');
    expect(stdout).toContain('Deployed: true\n');
    expect(stdout).toContain('Running: mixed\n');
    expect(stdout).toContain('Status web 1: running (CID: blog.web.1.v1-a1b2c3)\n');
    expect(stdout).toContain('Memory web 1: 41.5m of 512m, peak 60m\n');
    expect(stdout).toContain('Oom kills web 1: 3\n');
    expect(stdout).toContain('Restarts web 2: 2\n');
    expect(stdout).toContain('Last exit web 2: It was killed for memory at its limit of 512m.\n');
    expect(stdout.indexOf('Status web 1')).toBeLessThan(stdout.indexOf('Status web 2'));
  });

  it('tells the last kill for memory from the events', async () => {
    const { store } = bench;
    for (const message of ['web.1 was killed at 512m.', 'web.1 was killed again at 512m.'])
      store.events.add({ at: new Date(0), app: store.apps.list()[0]?.name, kind: 'oom', message });
    const stdout = (await bench.run('ps:report', 'blog')).stdout.replace(/: +/g, ': ');
    expect(stdout).toContain('Oom kills: 2\n');
    expect(stdout).toContain('Last oom kill: 1970-01-01T00:00:00.000Z web.1 was killed again at 512m.\n');
  });
});
