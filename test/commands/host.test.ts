import { beforeEach, expect, it } from 'vitest';
import { memoryBudget, usualReserve } from '../../src/domain/host-memory.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

const gib = 2 ** 30;

it('works the budget out from what the host has, what it keeps and how often the rest is promised', () => {
  expect(usualReserve(2 * gib)).toBe(512 * 2 ** 20);
  expect(usualReserve(100 * gib)).toBe(10 * gib);
  expect(memoryBudget(8 * gib, () => undefined)).toBe(8 * gib - usualReserve(8 * gib));
  const set = { 'memory-reserve': '1g', overcommit: '1.5' };
  expect(memoryBudget(8 * gib, name => set[name])).toBe(10.5 * gib);
  expect(memoryBudget(gib, name => (name === 'memory-reserve' ? '4g' : undefined))).toBe(0);
});

it('reports to whom memory is promised', async () => {
  const since = new Date();
  bench.runtime.says.instances = [
    ...['running', 'asleep'].map((status, at) => ({
      ...{ id: `i${at}`, type: 'web' as never, index: at + 1, version: 1, restarts: 0, since },
      ...{ status: status as 'running' | 'asleep', memoryLimit: 600 * 2 ** 20, promised: 512 * 2 ** 20 },
    })),
  ];
  bench.runtime.says.stats = [{ id: 'i0', memory: 30 * 2 ** 20, memoryPeak: 60 * 2 ** 20, oomKills: 0 }];
  const { stdout } = await bench.run('host:report');
  expect(stdout).toMatch(/may be promised +1g/);
  expect(stdout).toMatch(/promised +512m/);
  expect(stdout).toMatch(/blog +1 +no +512m +30m +60m/);
  expect((await bench.run('host:set', 'memory-reserve=2g', 'overcommit=2')).code).toBe(0);
  expect(JSON.parse((await bench.run('host:report', '--format', 'json')).stdout)).toMatchObject({
    reserve: '2g',
    overcommit: '2',
  });
});

it.each([
  ['overcommit=0.5', 'is not a number from 1 to 10'],
  ['overcommit=lots', 'is not a number from 1 to 10'],
  ['memory-reserve=none', 'is not an amount'],
  ['swap=1g', 'is no setting'],
])('refuses host:set %s', async (word, reason) => {
  const ran = await bench.run('host:set', word);
  expect(ran.code).not.toBe(0);
  expect(ran.stderr).toContain(reason);
});
