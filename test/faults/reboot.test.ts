import { afterAll, beforeAll, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { strays } from '../support/invariants.ts';
import { memoryLimitInKernel } from '../support/kernel.ts';
import { pullThePlug } from '../support/reboot.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// The host loses its power: nothing is left but files.

const mib = 2 ** 20;
let wherry: Wherry;

beforeAll(async () => {
  wherry = await startWherry();
  for (const app of ['awake', 'asleep', 'stopped']) {
    const pushed = await (await wherry.repository(app, { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  }
  for (const words of [
    ['resource:limit', '--memory', '200m', 'awake'],
    ['storage:create', 'kept', '--size', '32m'],
    ['storage:mount', 'awake', 'kept:/kept'],
    ['ps:restart', 'awake'],
    ['sleep:now', 'asleep', '--depth', 'light'],
    ['ps:stop', 'stopped'],
  ]) {
    const ran = await wherry.cli(...words);
    expect(ran.code, ran.output).toBe(0);
  }
  expect((await wherry.get('awake', '/write?path=/kept/note')).text).toBe('done');
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it('brings back what ran, with its limits and storage, and leaves asleep what slept and stopped what was stopped', async () => {
  await wherry.kill();
  await pullThePlug(wherry.data);
  expect(await wherry.leftovers()).toEqual([]);
  await wherry.start();

  const answers = async () => (await wherry.get('awake')).status;
  await expect.poll(answers, { timeout: 60_000 }).toBe(200);
  expect((await wherry.get('awake', '/read?path=/kept/note')).text).toBe('x');
  expect(memoryLimitInKernel(wherry.data)).toEqual([200 * mib]);
  expect((await wherry.cli('sleep:report', 'asleep', '--sleep-asleep')).stdout.trim()).not.toBe('no');
  expect((await wherry.get('asleep', '/', { timeout: 60_000 })).status).toBe(200);
  expect((await wherry.get('stopped')).status).toBe(503);
  await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
});
