import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { express, probe, shellApp } from '../support/apps.ts';
import { startTraffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { createWherry, startWherry, type Wherry } from '../support/wherry.ts';

describe('a Wherry', () => {
  const started: Wherry[] = [];
  const start = async () => {
    const wherry = await startWherry();
    started.push(wherry);
    return wherry;
  };
  const deploy = async (wherry: Wherry, app: string, files = {}) => {
    const pushed = await (await wherry.repository(app, { from: probe, files })).push();
    expect(pushed.code, pushed.output).toBe(0);
  };
  afterEach(async () => {
    for (const wherry of started.splice(0)) await wherry.stop();
  });

  it('drops no request when its daemon is killed and comes back, and adopts what runs', async () => {
    const wherry = await start();
    await deploy(wherry, 'app');
    const { pid } = JSON.parse((await wherry.get('app', '/whoami')).text);
    const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') });
    for (let round = 0; round < 2; round += 1) {
      await wherry.kill();
      const atKill = traffic.answered();
      await until('requests served without a daemon', () => traffic.answered() > atKill + 50);
      await wherry.start();
      const atStart = traffic.answered();
      await until('requests served after its return', () => traffic.answered() > atStart + 50);
    }
    const { failures } = await traffic.end();
    expect(failures).toEqual([]);
    expect((await wherry.ssh('ps:report', 'app')).stdout).toMatch(/running/);
    expect(JSON.parse((await wherry.get('app', '/whoami')).text).pid).toBe(pid);
  });

  it('drops no request of any of its apps when its daemon comes back to several', async () => {
    const wherry = await start();
    const apps = ['first', 'second', 'third'];
    for (const app of apps) await deploy(wherry, app);
    const traffic = apps.map(app => startTraffic({ port: wherry.httpPort, host: wherry.hostOf(app) }));
    const moreEach = async () => {
      const before = traffic.map(each => each.answered());
      await until('requests of each app', () =>
        traffic.every((each, at) => each.answered() > (before[at] ?? 0) + 50),
      );
    };
    await moreEach();
    await wherry.kill();
    await wherry.start();
    await moreEach();
    for (const each of traffic) expect((await each.end()).failures).toEqual([]);
  });

  it('drops no request while it deploys, restarts and scales', async () => {
    const wherry = await start();
    const repository = await wherry.repository('app', { from: probe });
    expect((await repository.push()).code).toBe(0);
    const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') });
    await until('traffic', () => traffic.answered() > 20);
    repository.write({ 'note.txt': 'changed' });
    await repository.commit('Change');
    expect((await repository.push()).code).toBe(0);
    expect((await wherry.ssh('ps:restart', 'app')).code).toBe(0);
    expect((await wherry.ssh('ps:scale', 'app', 'web=3')).code).toBe(0);
    expect((await wherry.ssh('ps:scale', 'app', 'web=1')).code).toBe(0);
    expect((await traffic.end()).failures).toEqual([]);
  });

  it('starts what died while the daemon was away', async () => {
    const wherry = await start();
    await deploy(wherry, 'app');
    await wherry.kill();
    await wherry.get('app', '/exit?code=1').catch(() => {});
    await wherry.start();
    await until('the app to be back', async () => (await wherry.get('app')).status === 200);
  });

  it('keeps what was acknowledged through a kill of its daemon', async () => {
    const wherry = await start();
    await wherry.cli('apps:create', 'kept');
    await wherry.cli('config:set', 'kept', 'A=1');
    await wherry.cli('domains:add', 'kept', 'kept.example.org');
    await wherry.kill();
    await wherry.start();
    expect((await wherry.cli('config:get', 'kept', 'A')).stdout.trim()).toBe('1');
    expect((await wherry.cli('domains:report', 'kept')).stdout).toContain('kept.example.org');
  });

  it('cleans up a build that was cut off by a kill of its daemon, and builds it right the next time', async () => {
    const wherry = await start();
    const builds = join(wherry.data, 'builds/cut');
    const sandboxes = join(wherry.data, 'engine/sandboxes');
    const entries = (dir: string) => (existsSync(dir) ? readdirSync(dir) : []);
    const repository = await wherry.repository('cut', { from: express });
    const pushing = repository.push();
    await until('the build to run', async () => entries(sandboxes).length > 0, {
      timeout: 60_000,
      every: 10,
    });
    await wherry.kill();
    expect((await pushing).code).not.toBe(0);
    expect(entries(builds)).not.toEqual([]);
    await wherry.start();
    await until('the remains to go', async () => entries(builds).length + entries(sandboxes).length === 0, {
      timeout: 20_000,
    });
    const again = await repository.push();
    expect(again.code, again.output).toBe(0);
    expect((await wherry.get('cut')).text).toContain('Hello');
  });

  it('runs beside another and neither sees the other', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await Promise.all([deploy(one, 'app'), deploy(two, 'app')]);
    await one.stop();
    expect(await one.leftovers()).toEqual([]);
    expect((await two.get('app')).status).toBe(200);
  });

  it('leaves nothing behind after down --purge, also when the daemon was killed before', async () => {
    const wherry = await start();
    await deploy(wherry, 'app');
    expect(await wherry.leftovers(), 'the check must be able to fail').not.toEqual([]);
    await wherry.kill();
    const down = await wherry.cli('down', '--purge');
    expect(down.code, down.output).toBe(0);
    expect(await wherry.leftovers()).toEqual([]);
    expect(existsSync(`${wherry.data}/wherry.db`)).toBe(false);
  });

  it('leaves nothing running after down, and everything is back after the next start', async () => {
    const wherry = await start();
    await deploy(wherry, 'app');
    const down = await wherry.cli('down');
    expect(down.code, down.output).toBe(0);
    expect(await wherry.leftovers()).toEqual([]);
    await wherry.start();
    await until('the app to be back', async () => (await wherry.get('app')).status === 200);
  });

  it('says in one sentence when its daemon is not running', async () => {
    const wherry = await createWherry();
    started.push(wherry);
    const result = await wherry.cli('apps:list');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/daemon/);
    expect(result.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
  });

  it('restarts an app that keeps dying ever later, never giving up', async () => {
    const wherry = await start();
    const line = 'node server.js & sleep 3; kill %1; exit 9';
    await deploy(wherry, 'dying', shellApp(line));
    await until(
      'three deaths',
      async () =>
        (await wherry.ssh('events', 'dying')).stdout.split('\n').filter(text => /\b9\b/.test(text)).length >=
        3,
      {
        timeout: 60_000,
        every: 500,
      },
    );
    expect((await wherry.ssh('ps:report', 'dying')).stdout).toMatch(/restart/i);
  });
});
