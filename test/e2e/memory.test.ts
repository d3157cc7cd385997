import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { memoryLimitInKernel } from '../support/kernel.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const mib = 2 ** 20;

describe('memory', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
    const pushed = await (await wherry.repository('eater', { from: probe })).push();
    expect(pushed.code, pushed.output).toBe(0);
  });
  afterAll(() => wherry?.stop());

  const pid = async () => JSON.parse((await wherry.get('eater', '/whoami')).text).pid as number;
  const back = () => until('the app to be back', async () => (await wherry.get('eater')).status === 200);

  it('is limited to 512 MiB by default, in the kernel', () => {
    expect(memoryLimitInKernel(wherry.data)).toContain(512 * mib);
  });

  it('is limited anew without a restart', async () => {
    const before = await pid();
    const result = await wherry.ssh('resource:limit', '--memory', '200m', 'eater');
    expect(result.code, result.output).toBe(0);
    expect(memoryLimitInKernel(wherry.data)).toContain(200 * mib);
    expect(await pid()).toBe(before);
    expect((await wherry.ssh('resource:report', 'eater')).stdout).toMatch(/200/);
  });

  it.each([['0'], ['-1'], ['NaN'], ['999T'], ['1e99'], ['']])(
    'refuses the limit "%s" and changes nothing',
    async limit => {
      const result = await wherry.cli('resource:limit', `--memory=${limit}`, 'eater');
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/memory|value/i);
      expect(memoryLimitInKernel(wherry.data)).toContain(200 * mib);
    },
  );

  it('refuses a limit below what is in use, and says how much that is', async () => {
    await wherry.get('eater', '/eat?mb=80');
    const result = await wherry.ssh('resource:limit', '--memory', '32m', 'eater');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/use/);
    expect(memoryLimitInKernel(wherry.data)).toContain(200 * mib);
    expect((await wherry.get('eater')).status).toBe(200);
  });

  it('that is exceeded ends the instance, is explained everywhere, and the app comes back', async () => {
    await wherry.get('eater', '/eat?mb=400').catch(() => {});
    const explained = /memory.*200|200.*memory/i;
    await until('the event', async () => explained.test((await wherry.ssh('events', 'eater')).stdout));
    expect((await wherry.ssh('logs', 'eater', '-n', '200')).stdout).toMatch(explained);
    expect((await wherry.ssh('ps:report', 'eater')).stdout).toMatch(/memory/i);
    await back();
  });

  it('of the whole app is held by its quota, over all its instances', async () => {
    await until('a calm app', async () => (await wherry.get('eater')).status === 200);
    const set = await wherry.ssh('quota:set', 'eater', 'memory', '256m');
    expect(set.code, set.output).toBe(0);
    expect((await wherry.ssh('quota:report', 'eater')).stdout).toMatch(/256/);
    expect((await wherry.ssh('resource:limit', '--memory', '250m', 'eater')).code).toBe(0);
    expect((await wherry.ssh('ps:scale', 'eater', 'web=2')).code).toBe(0);
    // Neither exceeds its own limit, both together exceed the quota.
    await Promise.all(
      Array.from({ length: 12 }, () =>
        wherry.get('eater', '/eat?mb=25', { timeout: 20_000 }).catch(() => {}),
      ),
    );
    await until('the event', async () => /quota/i.test((await wherry.ssh('events', 'eater')).stdout));
    await back();
  });

  it('backs off an app that keeps dying, and says so', async () => {
    for (let death = 0; death < 3; death += 1) {
      await wherry.get('eater', '/exit?code=7').catch(() => {});
      await back();
    }
    const { stdout } = await wherry.ssh('events', 'eater');
    expect(stdout).toMatch(/7/);
    expect((await wherry.ssh('ps:report', 'eater')).stdout).toMatch(/restart/i);
  });
});
