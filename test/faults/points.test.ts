import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FaultPoint, faultPoints } from '../../src/domain/fault.ts';
import { probe } from '../support/apps.ts';
import { strays } from '../support/invariants.ts';
import { memoryLimitInKernel } from '../support/kernel.ts';
import { leftovers } from '../support/leftovers.ts';
import { startTraffic } from '../support/traffic.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// A daemon that is killed at each named point of what is no push and no rename: those have files of their own.

const mib = 2 ** 20;
let wherry: Wherry;

type Blow = {
  /** Before the daemon is armed. */
  readonly before?: () => Promise<unknown>;
  /** What comes to the point; it is cut off there. */
  readonly words: readonly string[];
  /** Once the daemon is back. */
  readonly after: () => Promise<unknown>;
  /** No visitor is served meanwhile, nor needs to be. */
  readonly away?: true;
};

const blows: Readonly<Partial<Record<FaultPoint, Blow>>> = {
  'command:done': {
    words: ['domains:add', 'app', 'kept.example.org'],
    after: async () => {
      expect((await wherry.cli('domains:report', 'app')).stdout).toContain('kept.example.org');
      expect((await wherry.get('kept', '/', { host: 'kept.example.org' })).status).toBe(200);
    },
  },
  'config:stored': {
    words: ['config:set', 'app', 'COLOUR=blue'],
    after: async () => {
      expect((await wherry.cli('config:get', 'app', 'COLOUR')).stdout.trim()).toBe('blue');
      await ok('ps:rebuild', 'app');
      expect((await wherry.get('app', '/env?key=COLOUR')).text).toBe('blue');
    },
  },
  'scale:made': {
    words: ['ps:scale', 'app', 'web=2'],
    after: async () => {
      expect((await wherry.cli('ps:scale', 'app')).stdout).toMatch(/web\W+1/);
      await until('one instance', () => memoryLimitInKernel(wherry.data).length === 1);
    },
  },
  'limit:applied': {
    words: ['resource:limit', '--memory', '300m', 'app'],
    after: async () => {
      expect((await wherry.cli('resource:report', 'app')).stdout).not.toContain('300');
      expect(memoryLimitInKernel(wherry.data)).toEqual([512 * mib]);
    },
  },
  'certs:stored': {
    words: ['certs:generate', 'app', 'app.wherry.test'],
    after: async () => {
      expect((await wherry.cli('certs:report', 'app')).stdout).toContain('app.wherry.test');
      await ok('certs:remove', 'app');
    },
  },
  'sleep:noted': { words: ['sleep:now', 'app', '--depth', 'deep'], after: wakes, away: true },
  'sleep:done': {
    words: ['sleep:now', 'app', '--depth', 'light'],
    after: async () => {
      expect((await wherry.cli('sleep:report', 'app', '--sleep-asleep')).stdout.trim()).toBe('light');
      await wakes();
    },
    away: true,
  },
  'wake:ready': {
    before: () => ok('sleep:now', 'app', '--depth', 'deep'),
    words: ['sleep:wake', 'app'],
    after: wakes,
    away: true,
  },
  'volume:made': {
    words: ['storage:create', 'disk', '--size', '32m'],
    after: async () => {
      expect((await wherry.cli('storage:info', 'disk')).stdout).toMatch(/32/);
      expect(await mounts()).toHaveLength(1);
      await ok('storage:destroy', 'disk', '--force');
    },
  },
  'volume:unmounted': {
    before: () => ok('storage:create', 'disk', '--size', '32m'),
    words: ['storage:destroy', 'disk', '--force'],
    after: async () => {
      await ok('storage:destroy', 'disk', '--force');
      expect(await mounts()).toEqual([]);
    },
  },
  'destroy:begun': goesFor(),
  'destroy:stopped': goesFor(),
  'destroy:emptied': goesFor(),
  'destroy:removed': goesFor(),
};

beforeAll(async () => {
  wherry = await startWherry();
  await deploy('app');
});
afterAll(async () => {
  await wherry.stop();
  expect(await wherry.leftovers()).toEqual([]);
});

it('knows every point that has no file of its own', () => {
  const others = /^(receive|build|release|deploy|rename|acme|secrets):/;
  expect(Object.keys(blows).sort()).toEqual(
    Object.keys(faultPoints)
      .filter(point => !others.test(point))
      .sort(),
  );
});

it.each(Object.entries(blows))(
  '%s: a daemon that is killed there fails no visitor, and comes back as it should be',
  async (point, { before, words, after, away }) => {
    await before?.();
    await wherry.kill();
    await wherry.start(point);
    const visitors = away
      ? undefined
      : startTraffic({ port: wherry.httpPort, host: wherry.hostOf('app') }, { clients: 1, pause: 20 });
    const cut = await wherry.cli(...words);
    expect(cut.code, cut.output).not.toBe(0);
    await wherry.ended();
    await wherry.start();
    await after();
    expect((await visitors?.end())?.failures ?? []).toEqual([]);
    await expect.poll(() => strays(wherry.data), { timeout: 20_000 }).toEqual([]);
  },
);

/** Of an app that was being destroyed nothing is left, and its name is free. */
function goesFor(): Blow {
  return {
    before: () => deploy('gone'),
    words: ['apps:destroy', 'gone', '--force'],
    after: async () => {
      expect((await wherry.cli('apps:exists', 'gone')).code).toBe(20);
      expect((await wherry.get('gone')).status).toBe(404);
      for (const folder of ['repos', 'builds', 'builds-log', 'logs'])
        expect(entries(join(wherry.data, folder)), folder).not.toContainEqual(
          expect.stringMatching(/^gone(\.|$)/),
        );
      await ok('apps:create', 'gone');
      expect((await wherry.cli('config:export', 'gone')).stdout.trim()).toBe('');
      await ok('apps:destroy', 'gone', '--force');
    },
  };
}

async function wakes(): Promise<void> {
  expect((await wherry.get('app', '/', { timeout: 60_000 })).status).toBe(200);
  expect((await wherry.cli('sleep:report', 'app', '--sleep-asleep')).stdout.trim()).toBe('no');
}

const mounts = async () =>
  (await leftovers(wherry.data)).filter(line => line.startsWith('mount: ') && line.includes('/storage/'));

async function deploy(app: string): Promise<void> {
  const pushed = await (await wherry.repository(app, { from: probe })).push();
  expect(pushed.code, pushed.output).toBe(0);
}

async function ok(...words: string[]): Promise<void> {
  const ran = await wherry.cli(...words);
  expect(ran.code, ran.output).toBe(0);
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
