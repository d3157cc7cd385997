import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});
const value = async (key: string) =>
  (await bench.run('checks:report', 'blog', `--checks-${key}`)).stdout.trim();

describe('checks:set', () => {
  it('holds for what runs at once: of the app, else of all, else as usual', async () => {
    const pace = () => bench.runtime.told.at(-1)?.desired.checks?.();
    await bench.run('config:set', 'blog', 'A=1');
    expect(await value('computed-attempts')).toBe('3');
    expect((await bench.run('checks:set', '--global', 'attempts', '7')).code).toBe(0);
    expect(await value('computed-attempts')).toBe('7');
    const { stderr, stdout } = await bench.run('checks:set', 'blog', 'attempts', '9');
    expect(stdout + stderr).toContain('Setting attempts to 9');
    expect([
      await value('attempts'),
      await value('global-attempts'),
      await value('computed-attempts'),
    ]).toEqual(['9', '7', '9']);
    expect(pace()?.pace).toEqual({ attempts: 9, wait: 5000, timeout: 5000 });
    await bench.run('checks:set', 'blog', 'wait-to-retire', '90');
    expect(pace()?.waitToRetire).toBe(90_000);
    await bench.run('checks:set', 'blog', 'wait-to-retire');
    expect(pace()?.waitToRetire).toBeUndefined();
  });

  it.each([
    ['attempts', '0', 'attempts "0" is not valid. Give a whole number from 1 to 1000.'],
    ['wait', '9999', 'wait "9999" is not valid. Give whole seconds from 0 to 3600.'],
    ['timeout', '1.5', 'timeout "1.5" is not valid'],
    ['wait-to-retire', 'soon', 'wait-to-retire "soon" is not valid'],
    ['color', 'red', '"color" is not a property. Known are: attempts, default-wait'],
  ])('refuses %s %s', async (property, given, message) => {
    const { code, stderr } = await bench.run('checks:set', 'blog', property, given);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('says that an app is not there', async () => {
    expect((await bench.run('checks:set', 'nobody', 'wait', '1')).code).toBe(20);
    expect((await bench.run('checks:report', 'nobody')).code).toBe(20);
  });
});
