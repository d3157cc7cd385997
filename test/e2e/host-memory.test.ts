import { totalmem } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const mib = 2 ** 20;

describe('the memory of a host that has little', () => {
  let wherry: Wherry;
  const push = async (app: string) => await (await wherry.repository(app, { from: probe })).push();
  const asleep = async (app: string) =>
    (await wherry.cli('sleep:report', app, '--sleep-asleep')).stdout.trim();
  const promised = async () =>
    (JSON.parse((await wherry.cli('host:report', '--format', 'json')).stdout) as { promised: number })
      .promised;

  beforeAll(async () => {
    wherry = await startWherry();
    // Room for two instances of 512m beside a small build, and not for three.
    const reserve = Math.floor(totalmem() / mib) - 1200;
    const set = await wherry.cli('host:set', `memory-reserve=${reserve}m`);
    expect(set.code, set.output).toBe(0);
    const builds = await wherry.cli('builds:set', '--global', 'memory', '160m');
    expect(builds.code, builds.output).toBe(0);
    for (const app of ['idle', 'busy']) {
      const pushed = await push(app);
      expect(pushed.code, pushed.output).toBe(0);
    }
  });
  afterAll(() => wherry?.stop());

  it('is refused, with the numbers, to what does not fit; what runs stays', async () => {
    const third = await push('third');
    expect(third.code).not.toBe(0);
    expect(third.output).toContain('The host is short of memory: third needs 512m');
    for (const app of ['idle', 'busy']) expect((await wherry.get(app)).status).toBe(200);
  });

  it('is taken from an app that may sleep and is not used, and given back to it when another sleeps', async () => {
    await wherry.cli('autoscale:set', 'idle', 'min=0');
    const third = await push('third');
    expect(third.code, third.output).toBe(0);
    expect(await asleep('idle')).toBe('deep');
    expect((await wherry.get('third')).status).toBe(200);
    expect(await promised()).toBeLessThanOrEqual(1200 * mib);
    await wherry.cli('autoscale:set', 'third', 'min=0');
    expect((await wherry.get('idle')).status).toBe(200);
    await until('the other sleeps', async () => (await asleep('third')) === 'deep');
    expect(await promised()).toBeLessThanOrEqual(1200 * mib);
  });

  it('tells who comes that it is short, when nobody gives any', async () => {
    await wherry.cli('autoscale:set', 'idle', 'min=');
    const answer = await wherry.get('third', '/', { timeout: 60_000 });
    expect([answer.status, answer.headers['x-wherry-reason']]).toEqual([503, 'app-crashed']);
    expect(answer.text).toContain('The host is short of memory');
  });
});
