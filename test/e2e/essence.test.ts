import { afterAll, beforeAll, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { memoryLimitInKernel } from '../support/kernel.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// What Wherry is for, once each: what `bin/test-v2 --whole` shows of a host with another kernel, slow as it is there.

const patience = { timeout: 120_000, every: 500 };
let wherry: Wherry;
const ok = async (...words: string[]) => {
  const ran = await wherry.cli(...words);
  expect(ran.code, ran.output).toBe(0);
  return ran.stdout;
};

beforeAll(async () => {
  wherry = await startWherry();
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it('takes a push and serves it', async () => {
  const pushed = await (await wherry.repository('app', { from: probe })).push();
  expect(pushed.code, pushed.output).toBe(0);
  expect((await wherry.get('app')).text).toContain('probe');
});

it('holds it to its memory, and explains the kill', async () => {
  await ok('resource:limit', '--memory', '200m', 'app');
  expect(memoryLimitInKernel(wherry.data)).toContain(200 * 2 ** 20);
  await wherry.get('app', '/eat?mb=400').catch(() => {});
  await until('the reason', async () => /oom: .*200m/.test(await ok('events', 'app')), patience);
  await until(
    'the app to be back',
    async () => (await wherry.get('app').catch(() => undefined))?.status === 200,
    patience,
  );
});

it.each(['light', 'deep'])('lets it sleep (%s), and wakes it for a request that waits', async depth => {
  await until(
    'it sleeps',
    async () => (await wherry.cli('sleep:now', 'app', '--depth', depth)).code === 0,
    patience,
  );
  expect(await ok('sleep:report', 'app', '--sleep-asleep')).toBe(`${depth}\n`);
  expect((await wherry.get('app', '/', { timeout: 120_000 })).status).toBe(200);
  expect(await ok('sleep:report', 'app', '--sleep-asleep')).toBe('no\n');
});
