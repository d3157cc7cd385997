import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe, probeSaying } from '../support/apps.ts';
import { openSession } from '../support/ssh-session.ts';
import { sleep, until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const secret = 'correct horse battery';

/** The probe with a build script that ticks five times a second, so many times, and tells its secrets. */
function ticking(times: number): Record<string, string> {
  return {
    'package.json': JSON.stringify({ name: 'ticking', scripts: { build: 'node build.js' } }),
    'build.js': `
      const half = process.env.TOKEN.length / 2;
      process.stdout.write('the token is ' + process.env.TOKEN.slice(0, half));
      setTimeout(() => console.log(process.env.TOKEN.slice(half) + '!'), 50);
      let tick = 0;
      const timer = setInterval(() => {
        console.log('tick ' + tick++);
        if (tick === ${times}) clearInterval(timer);
      }, 200);
    `,
  };
}

describe('a build', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    // Less than one build may use: they run one after the other.
    wherry = await startWherry({ env: { WHERRY_BUILD_MEMORY: '64m' } });
  });
  afterAll(() => wherry?.stop());

  const app = async (name: string, times: number) => {
    expect((await wherry.ssh('apps:create', name)).code).toBe(0);
    expect((await wherry.ssh('config:set', name, `'TOKEN=${secret}'`)).code).toBe(0);
    return await wherry.repository(name, { from: probe, files: ticking(times) });
  };
  const builds = async (name: string) =>
    JSON.parse((await wherry.ssh('builds:list', name, '--format', 'json')).stdout) as {
      build: number;
      status: string;
      reason: string | null;
    }[];
  /** Until the app's newest build has printed a few lines. */
  const untilItTicks = async (name: string) => {
    const dir = join(wherry.data, 'builds-log', name);
    const log = (file: string) => readFileSync(join(dir, file), 'utf8');
    await until('a tick', () => readdirSync(dir).some(file => /tick 1\n(?!.*deployed)/s.test(log(file))), {
      timeout: 60_000,
    });
  };

  it('is watched live by others, again after a lost connection, and shows nobody a secret', async () => {
    const pushing = (await app('watched', 40)).push();
    await untilItTicks('watched');
    const session = await openSession(wherry);
    const lost = session.exec('builds:output watched current').catch((error: Error) => error.message);
    await sleep(1500);
    session.close();
    const first = await lost;
    expect(first).toContain('tick 0');
    expect(first).not.toContain('tick 39');
    const again = await wherry.ssh('builds:output', 'watched', 'current');
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/tick 0\n.*tick 39\n.*Application deployed:/s);
    const pushed = await pushing;
    expect(pushed.code, pushed.output).toBe(0);
    expect((await builds('watched'))[0]).toMatchObject({ status: 'succeeded' });
    for (const shown of [pushed.output, first, again.stdout]) {
      expect(shown).toContain('the token is [masked]!');
      expect(shown).not.toContain('correct horse');
      expect(shown).not.toContain('battery');
    }
  });

  it('that is canceled refuses its push and leaves the app and nothing else', async () => {
    const repository = await app('canceled', 1);
    expect((await repository.push()).code).toBe(0);
    repository.write({ ...ticking(300), ...probeSaying('probe two') });
    await repository.commit('Build for a minute');
    const pushing = repository.push();
    await untilItTicks('canceled');
    const canceled = await wherry.ssh('builds:cancel', 'canceled');
    expect(canceled).toMatchObject({ code: 0, stdout: 'Build 2 is canceled\n' });
    const pushed = await pushing;
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toContain('Build 2 of canceled was canceled by dev. What ran before runs on.');
    expect((await wherry.get('canceled')).text).toBe('probe one');
    expect(readdirSync(join(wherry.data, 'builds', 'canceled'))).toEqual(['explain.json', 'record.json']);
    expect((await wherry.ssh('builds:info', 'canceled', '2')).stdout).toMatch(/Status: +canceled/);
    repository.write(ticking(1));
    await repository.commit('Build at once');
    expect((await repository.push()).code).toBe(0);
    expect((await wherry.get('canceled')).text).toBe('probe two');
  });

  it('goes on when the client of its push is killed: its output is watched again, and the branch moves', async () => {
    const repository = await app('dropped', 30);
    await repository.pushKilled(async () => await untilItTicks('dropped'));
    const again = await wherry.ssh('builds:output', 'dropped', 'current');
    expect(again.stdout).toMatch(/tick 0\n.*tick 29\n.*Application deployed:/s);
    expect((await builds('dropped'))[0]).toMatchObject({ build: 1, status: 'succeeded' });
    expect((await wherry.get('dropped')).text).toBe('probe one');
    await until('the branch to move', async () =>
      (await repository.git('ls-remote', 'wherry', 'main')).stdout.includes('refs/heads/main'),
    );
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect(pushed.output).toContain('Everything up-to-date');
  });

  it('that was asked for by ps:rebuild goes on when its connection is lost', async () => {
    expect((await (await app('rebuilt', 10)).push()).code).toBe(0);
    const before = (await builds('rebuilt')).length;
    const session = await openSession(wherry);
    const lost = session.exec('ps:rebuild rebuilt').catch((error: Error) => error.message);
    await until('the rebuild', async () => (await builds('rebuilt')).length > before);
    session.close();
    await lost;
    expect((await wherry.ssh('builds:output', 'rebuilt')).stdout).toMatch(/tick 9\n.*Application deployed:/s);
    expect((await builds('rebuilt'))[0]).toMatchObject({ build: before + 1, status: 'succeeded' });
  });

  it('waits for the memory of another and says so', async () => {
    const [one, two] = [await app('one', 15), await app('two', 1)];
    const first = one.push();
    await untilItTicks('one');
    const second = await two.push();
    expect(second.code, second.output).toBe(0);
    expect(second.stderr).toMatch(/Waiting for the memory of other builds: one have 2g of the 64m/);
    expect((await first).code).toBe(0);
  });

  it('is of one folder of the repository when the app is that folder', async () => {
    await wherry.ssh('apps:create', 'mono');
    expect((await wherry.ssh('builder:set', 'mono', 'build-dir', 'apps/web')).code).toBe(0);
    const repository = await wherry.repository('mono', { files: { 'README.md': 'No app here' } });
    const refused = await repository.push();
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('Build directory apps/web is missing in commit');
    repository.write({
      'apps/web/package.json': '{"name":"web"}',
      'apps/web/server.js': probeSaying('from the folder')['server.js'],
      'apps/web/Procfile': 'web: node server.js\n',
    });
    await repository.commit('Add the app');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('mono')).text).toBe('from the folder');
  });

  it('that dies with the daemon is abandoned, and the next one builds right', async () => {
    const repository = await app('survivor', 300);
    const pushing = repository.push();
    await untilItTicks('survivor');
    await wherry.kill();
    await pushing;
    await wherry.start();
    expect((await builds('survivor'))[0]).toMatchObject({ status: 'abandoned' });
    repository.write(ticking(1));
    await repository.commit('Build at once');
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.ssh('disk:report', 'survivor')).stdout).toMatch(/^survivor +\d/m);
  });
});
