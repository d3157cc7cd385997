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

describe('checks:skip, checks:disable and checks:enable', () => {
  const lists = async () => [await value('skipped-list'), await value('disabled-list')];
  const settings = async () => {
    await bench.run('ps:restart', 'blog');
    const { skipped, disabled } = bench.runtime.told.at(-1)?.desired.checks?.() ?? {};
    return ['web', 'worker'].map(type => `${skipped?.(type)} ${disabled?.(type)}`);
  };

  it('put process types into one list at a time, and take them out', async () => {
    expect(await lists()).toEqual(['none', 'none']);
    expect((await bench.run('checks:skip', 'blog', 'worker,web')).code).toBe(0);
    expect(await lists()).toEqual(['web,worker', 'none']);
    await bench.run('checks:disable', 'blog', 'web');
    expect(await lists()).toEqual(['worker', 'web']);
    expect(await settings()).toEqual(['false true', 'true false']);
    await bench.run('checks:enable', 'blog', 'worker', 'web');
    expect(await lists()).toEqual(['none', 'none']);
  });

  it('are for all processes where none is named, and one may be taken out of them', async () => {
    await bench.run('checks:disable', 'blog');
    expect(await lists()).toEqual(['none', '_all_']);
    expect(await settings()).toEqual(['false true', 'false true']);
    await bench.run('checks:enable', 'blog', 'web');
    expect(await lists()).toEqual(['none', 'worker']);
    await bench.run('checks:skip', 'blog');
    expect(await lists()).toEqual(['_all_', 'none']);
    await bench.run('checks:enable', 'blog');
    expect(await lists()).toEqual(['none', 'none']);
  });

  it('refuse what is no process type, and change nothing', async () => {
    const { code, stderr } = await bench.run('checks:skip', 'blog', 'web,../x');
    expect(code).toBe(1);
    expect(stderr).toContain('Process type "../x" is not valid');
    expect(await lists()).toEqual(['none', 'none']);
  });
});

describe('checks:run', () => {
  it('says of each check whether it passes, and exits with 1 when one fails', async () => {
    bench.runtime.says.checks = [
      { dyno: 'web.1', name: 'up', type: 'startup', outcome: 'passed' },
      { dyno: 'worker.1', name: 'bin/alive', type: 'liveness', outcome: 'failed', why: 'it is late' },
    ];
    const all = await bench.run('checks:run', 'blog');
    expect(all.code).toBe(1);
    expect(all.stdout).toContain('web.1 startup "up" passed');
    expect(all.stdout).toContain('worker.1 liveness "bin/alive" failed: it is late');
    const web = await bench.run('checks:run', 'blog', 'web', '--format', 'json');
    expect(web.code).toBe(0);
    expect(JSON.parse(web.stdout).checks).toHaveLength(1);
  });

  it('says so where there is nothing to try', async () => {
    expect((await bench.run('checks:run', 'blog')).stdout).toContain('no running process has checks');
    const { code, stderr } = await bench.run('checks:run', 'blog', 'clock');
    expect(code).toBe(1);
    expect(stderr).toContain('clock is not a process type of blog');
    await bench.run('apps:create', 'fresh');
    expect((await bench.run('checks:run', 'fresh')).stderr).toContain('App fresh has not been deployed');
  });
});
