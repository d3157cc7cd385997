import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { type Bench, createBench } from './support.ts';

const mib = 2 ** 20;
let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

describe('resource:limit', () => {
  it('applies to what runs and says what it set', async () => {
    const { stdout } = await bench.run(
      'resource:limit',
      '--memory',
      '256m',
      '--process-type',
      'worker',
      'blog',
    );
    expect(stdout).toBe('=====> Setting resource limits for blog (worker)\n       memory: 256m\n');
    const { desired } = bench.runtime.told[0] ?? {};
    expect(desired?.limits('worker' as never).memory).toBe(256 * mib);
    expect(desired?.limits('web' as never).memory).toBe(512 * mib);
  });

  it('shows limits without options', async () => {
    await bench.run('resource:limit', '--memory', '1g', '--cpu', '0.5', 'blog');
    expect((await bench.run('resource:limit', 'blog')).stdout).toBe(
      '=====> resource limits blog information\n       memory: 1g\n       cpu: 0.5\n',
    );
    expect(bench.runtime.told).toHaveLength(1);
  });

  it('clears one key and keeps the other', async () => {
    await bench.run('resource:limit', '--memory', '1g', '--cpu', '0.5', 'blog');
    await bench.run('resource:limit', '--memory', 'clear', 'blog');
    const { stdout } = await bench.run('resource:limit', 'blog', '--format', 'json');
    expect(JSON.parse(stdout)).toEqual({ app: 'blog', type: '_default_', memory: null, cpu: 0.5 });
  });

  it('limits what is written, from the next start on, and takes that away again', async () => {
    expect((await bench.run('resource:limit', '--disk', '1g', 'blog')).stdout).toContain(
      'disk: 1g, from the next deploy or restart on',
    );
    expect(bench.runtime.told.at(-1)?.desired.limits('web' as never)).toMatchObject({ disk: 1024 * mib });
    expect((await bench.run('resource:limit', 'blog')).stdout).toContain('disk: 1g');
    const reported = async (key: string) => (await bench.run('resource:report', 'blog', `--${key}`)).stdout;
    expect(await reported('resource-computed-web.limit.disk')).toBe('1g\n');
    await bench.run('resource:limit', '--disk', 'clear', 'blog');
    expect(bench.runtime.told.at(-1)?.desired.limits('web' as never)).not.toHaveProperty('disk');
    await bench.run('resource:limit', '--disk', '1g', 'blog');
    await bench.run('resource:limit-clear', 'blog');
    expect(bench.store.limits.rows(bench.store.apps.list()[0] as never)).toEqual([]);
  });

  it.each([['1m'], ['0'], ['-1'], ['much'], ['']])('refuses a disk limit of %j', async limit => {
    const { code, stderr } = await bench.run('resource:limit', `--disk=${limit}`, 'blog');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ ! {5}[^\n]*Give [^\n]*\n$/);
    expect((await bench.run('resource:reserve', '--disk', '1g', 'blog')).stderr).toContain(
      'Limit it: resource:limit --disk 1g blog',
    );
    expect(bench.store.limits.rows(bench.store.apps.list()[0] as never)).toEqual([]);
  });

  it.each([['0'], ['-1'], ['NaN'], ['999T'], ['']])('refuses memory %j and stores nothing', async limit => {
    const { code, stderr } = await bench.run('resource:limit', `--memory=${limit}`, 'blog');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ ! {5}Memory "[^\n]*Give [^\n]*\n$/);
    expect(bench.store.limits.rows(bench.store.apps.list()[0] as never)).toEqual([]);
  });

  it('stores nothing that the kernel does not take', async () => {
    bench.runtime.says.fault = new WherryError('invalid', 'It uses 300m; the limit cannot be lower.');
    expect((await bench.run('resource:limit', '--memory', '256m', 'blog')).stderr).toMatch(/uses 300m/);
    expect((await bench.run('resource:limit', 'blog')).stdout).toMatch(/memory: none/);
  });
});

describe('resource:reserve', () => {
  const promised = (type: string) => bench.runtime.told.at(-1)?.desired.promised?.(type as never);
  const value = async (key: string) =>
    (await bench.run('resource:report', 'blog', `--resource-${key}`)).stdout.trim();

  it('says at once what counts of each instance, never more than its limit', async () => {
    const { stdout } = await bench.run('resource:reserve', '--memory', '100m', 'blog');
    expect(stdout).toBe('=====> Setting resource reservation for blog\n       memory: 100m\n');
    expect([promised('web'), promised('worker')]).toEqual([100 * mib, 100 * mib]);
    await bench.run('resource:reserve', '--memory', '4g', '--process-type', 'worker', 'blog');
    expect([promised('web'), promised('worker')]).toEqual([100 * mib, 512 * mib]);
    await bench.run('resource:limit', '--memory', '1g', '--process-type', 'worker', 'blog');
    expect(promised('worker')).toBe(1024 * mib);
    expect(bench.runtime.told.at(-1)?.desired.limits('web' as never).memory).toBe(512 * mib);
  });

  it('shows itself beside the limits, as set and as it works out', async () => {
    await bench.run('resource:reserve', '--memory', '4g', '--cpu', '0.5', '--process-type', 'worker', 'blog');
    expect((await bench.run('resource:reserve', '--process-type', 'worker', 'blog')).stdout).toBe(
      '=====> resource reservation blog (worker) information\n       memory: 4g\n       cpu: 0.5\n',
    );
    expect([await value('worker.reserve.memory'), await value('worker.reserve.cpu')]).toEqual(['4g', '0.5']);
    expect(await value('computed-worker.reserve.memory')).toBe('512m');
    expect(await value('computed-web.reserve.memory')).toBe('512m');
  });

  it('is taken away key by key, or as a whole', async () => {
    await bench.run('resource:reserve', '--memory', '100m', '--cpu', '1', 'blog');
    await bench.run('resource:reserve', '--memory', 'clear', 'blog');
    const shown = async () =>
      JSON.parse((await bench.run('resource:reserve', 'blog', '--format', 'json')).stdout);
    expect(await shown()).toEqual({ app: 'blog', type: '_default_', memory: null, cpu: 1 });
    expect((await bench.run('resource:reserve-clear', 'blog')).code).toBe(0);
    expect(await shown()).toEqual({ app: 'blog', type: '_default_', memory: null, cpu: null });
    expect(promised('web')).toBe(512 * mib);
  });

  it('stores nothing that the host has no memory for', async () => {
    bench.runtime.says.fault = new WherryError('unavailable', 'The host is short of memory.');
    const { code, stderr } = await bench.run('resource:reserve', '--memory', '400m', 'blog');
    expect(code).toBe(75);
    expect(stderr).toContain('short of memory');
    expect((await bench.run('resource:reserve', 'blog')).stdout).toMatch(/memory: none/);
  });

  it.each([['0'], ['-1'], ['lots']])('refuses memory %j', async memory => {
    expect((await bench.run('resource:reserve', `--memory=${memory}`, 'blog')).code).toBe(1);
    expect((await bench.run('resource:reserve', 'blog')).stdout).toMatch(/memory: none/);
  });
});

describe('resource:limit-clear', () => {
  it('brings the usual limit back, and leaves that of single processes', async () => {
    await bench.run('resource:limit', '--memory', '1g', '--cpu', '2', 'blog');
    await bench.run('resource:limit', '--memory', '300m', '--process-type', 'worker', 'blog');
    expect((await bench.run('resource:limit-clear', 'blog')).code).toBe(0);
    const limits = bench.runtime.told.at(-1)?.desired.limits;
    expect(limits?.('web' as never)).toMatchObject({ memory: 512 * mib });
    expect(limits?.('worker' as never).memory).toBe(300 * mib);
    await bench.run('resource:limit-clear', '--process-type', 'worker', 'blog');
    expect(bench.store.limits.rows(bench.store.apps.list()[0] as never)).toEqual([]);
  });
});

describe('resource:report', () => {
  it('tells limits as set and as they work out', async () => {
    await bench.run('resource:limit', '--memory', '1g', 'blog');
    await bench.run('resource:limit', '--process-type', 'worker', '--cpu', '2', 'blog');
    const one = async (flag: string) => (await bench.run('resource:report', 'blog', flag)).stdout.trim();
    expect(await one('--resource-_default_.limit.memory')).toBe('1g');
    expect(await one('--resource-worker.limit.memory')).toBe('');
    expect(await one('--resource-computed-worker.limit.memory')).toBe('1g');
    expect(await one('--resource-computed-worker.limit.cpu')).toBe('2');
  });
});

describe('quota:set', () => {
  it('takes flags, or a property and its value as dokku does', async () => {
    await bench.run('quota:set', 'blog', '--memory', '1g', '--processes', '200');
    expect(bench.runtime.told.at(-1)?.desired.quota).toEqual({ memory: 2 ** 30, pids: 200 });
    await bench.run('quota:set', 'blog', 'memory', '256m');
    expect(bench.runtime.told.at(-1)?.desired.quota).toEqual({ memory: 256 * mib, pids: 200 });
    expect((await bench.run('quota:report', 'blog', '--quota-memory')).stdout).toBe('256m\n');
  });

  it('clears by "clear", or by no value', async () => {
    await bench.run('quota:set', 'blog', '--memory', '1g', '--processes', '200');
    await bench.run('quota:set', 'blog', '--memory', 'clear');
    await bench.run('quota:set', 'blog', 'processes');
    expect(bench.runtime.told.at(-1)?.desired.quota).toEqual({ memory: null, pids: null });
  });

  it.each([
    [['--memory', '0']],
    [['--memory', 'NaN']],
    [['memory', '-1']],
    [['--processes', '-1']],
    [['--processes', '1.5']],
    [['processes', '999999999999']],
    [['colour', 'red']],
    [[]],
  ])('refuses %j', async words => {
    expect((await bench.run('quota:set', 'blog', ...words)).code).toBeGreaterThan(0);
    expect(bench.runtime.told).toEqual([]);
  });
});
