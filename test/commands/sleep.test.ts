import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

const run = (line: string) => bench.run(...line.split(' '));
const app = () => bench.store.apps.get(parseAppName('blog'));

describe('sleep:now and sleep:wake', () => {
  it('puts an app to sleep and wakes it, and the history tells', async () => {
    expect(await run('sleep:now blog --depth light')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('blog sleeps until it is asked for'),
    });
    expect(bench.runtime.says.asleep).toBe('light');
    expect((await run('sleep:report blog --sleep-asleep')).stdout).toBe('light\n');
    expect((await run('sleep:report blog --sleep-reclaimed')).stdout).toBe('150m\n');
    expect((await run('sleep:report blog --sleep-reclaim-failures')).stdout).toBe('1\n');
    expect((await run('sleep:wake blog')).stdout).toMatch(/blog is awake, after \d+ ms/);
    expect((await run('sleep:wake blog')).stdout).toContain('blog does not sleep');
    const kinds = bench.store.events.list({ app: app().name, limit: 10 }).map(event => event.kind);
    expect(kinds).toEqual(expect.arrayContaining(['sleep', 'wake']));
  });

  it('refuses while a request is in flight, and says so', async () => {
    bench.runtime.says.busy = true;
    expect(await run('sleep:now blog')).toMatchObject({
      code: 22,
      stderr: expect.stringContaining('App blog stays awake: a request is in flight'),
    });
  });

  it('says why an app does not wake', async () => {
    await run('sleep:now blog');
    bench.runtime.says.fault = new WherryError(
      'check-failed',
      'It does not start: web.1 exited with status 1.',
    );
    expect(await run('sleep:wake blog')).toMatchObject({
      stderr: expect.stringContaining('web.1 exited with status 1'),
    });
  });

  it('knows only two depths', async () => {
    expect((await run('sleep:now blog --depth coma')).stderr).toContain('Known are: deep, light');
  });
});

describe('an app that says that it is busy', () => {
  it('is shown so', async () => {
    expect((await run('ps:report blog --busy-until')).stdout).toBe('\n');
    bench.busy.set('blog', Date.UTC(2040, 0, 1));
    expect((await run('ps:report blog --busy-until')).stdout).toBe('2040-01-01T00:00:00.000Z\n');
    expect((await run('autoscale:explain blog')).stdout).toContain('2040-01-01T00:00:00.000Z');
    const { stdout } = await run('autoscale:explain blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({ busy_until: '2040-01-01T00:00:00.000Z' });
    await run('apps:destroy blog --force');
    expect(bench.busy.size).toBe(0);
  });
});

describe('sleep:set', () => {
  it('stores what is given, unsets what is empty, and reports both', async () => {
    await run('sleep:set blog ignore-paths=/health,/m* queue=5');
    await run('sleep:set --global queue=9 waiting-page=true');
    const { stdout } = await run('sleep:report blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({
      'ignore-paths': '/health,/m*',
      queue: '5',
      'global-queue': '9',
      'computed-queue': '5',
      'computed-waiting-page': 'true',
    });
    await run('sleep:set blog queue=');
    expect((await run('sleep:report blog --sleep-computed-queue')).stdout).toBe('9\n');
  });

  it.each([
    ['queue=0', 'is not a whole number from 1 to 2000'],
    ['queue=many', 'is not a whole number'],
    ['waiting-page=maybe', 'neither true nor false'],
    ['ignore-paths=health', 'is not a path'],
    ['ignore-paths=/a?b', 'is not a path'],
    ['ignore-agents=x', 'Give 3 to 200 characters'],
    ['follow-web=web', 'cannot follow web'],
    ['follow-web=release', 'cannot follow web'],
    ['depth=3', 'is no setting. Give SETTING=VALUE of: queue, waiting-page'],
    ['queue', 'is no setting'],
    ['queue=1 queue=2', 'is given twice'],
  ])('refuses %s', async (words, reason) => {
    const ran = await run(`sleep:set blog ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
  });
});

describe('autoscale:set', () => {
  it('stores its settings and works them out with those for all and ps:scale', async () => {
    await run('ps:scale blog web=2');
    await run('autoscale:set --global idle=5m');
    expect((await run('autoscale:set blog web min=0 target=10')).code).toBe(0);
    const { stdout } = await run('autoscale:report blog --format json');
    expect(JSON.parse(stdout)).toMatchObject({
      'web-min': '0',
      'web-max': '',
      'computed-web-min': '0',
      'computed-web-max': '2',
      'computed-web-target': '10',
      'computed-web-idle': '5m',
      'computed-web-deep-after': '15m',
      'web-automatic': 'true',
    });
  });

  it('leaves an app without settings at what ps:scale says', async () => {
    expect((await run('autoscale:report blog --autoscale-web-automatic')).stdout).toBe('false\n');
    expect((await run('autoscale:explain blog')).stdout).toContain('It does not scale by itself');
  });

  it('bounds the number that an app is deployed with', async () => {
    await run('autoscale:set blog min=3 max=5');
    expect(bench.services.deployer.counts(app()).get('web' as never)).toBe(3);
    await run('autoscale:set blog min= max=');
    expect(bench.services.deployer.counts(app()).get('web' as never)).toBe(1);
    await run('autoscale:set blog min=0');
    expect(bench.services.deployer.counts(app()).get('web' as never)).toBe(1);
  });

  it.each([
    ['min=3 max=2', 'min=3 is above max=2'],
    ['min=-1', 'is not a whole number from 0 to 100'],
    ['max=0', 'is not a whole number from 1 to 100'],
    ['max=101', 'is not a whole number from 1 to 100'],
    ['target=0', 'is not a whole number from 1 to 10000'],
    ['target=1e9', 'is not a whole number'],
    ['idle=0', 'is not a time from 1s'],
    ['idle=soon', 'is not a duration'],
    ['wake-timeout=2h', 'is not a time from 1s to 1h'],
    ['worker min=1', 'cannot scale by itself'],
    ['web', 'Nothing is set'],
    ['speed=1', 'is no setting'],
  ])('refuses %s and stores nothing', async (words, reason) => {
    const ran = await run(`autoscale:set blog ${words}`);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect((await run('autoscale:report blog --autoscale-web-automatic')).stdout).toBe('false\n');
  });

  it('refuses a min above the max that was set before', async () => {
    await run('autoscale:set blog max=2');
    expect((await run('autoscale:set blog min=3')).stderr).toContain('min=3 is above max=2');
  });
});
