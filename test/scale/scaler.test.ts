import { describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import type { AppLoad } from '../../src/domain/route.ts';
import type { ScalingRules } from '../../src/domain/scaling.ts';
import type { Fleet, Group } from '../../src/scale/fleet.ts';
import { Scaler } from '../../src/scale/scaler.ts';

const rules: ScalingRules = {
  automatic: true,
  min: 0,
  max: 8,
  target: 10,
  idle: 60_000,
  deepAfter: 60_000,
  wakeTimeout: 30_000,
  awake: 0,
};

/** A host of one app, on a clock of the test's; instances start within a second. */
function simulate(changes: Partial<ScalingRules> = {}) {
  let now = 1_700_000_000_000;
  let count = 1;
  let asleep: Group['asleep'];
  let changedAt = now;
  let fault: unknown;
  const failed: unknown[] = [];
  const sizes: number[] = [];
  const fleet: Fleet = {
    groups: () => [
      {
        app: 'blog',
        rules: { ...rules, ...changes },
        ready: asleep ? 0 : count,
        count,
        memory: 1,
        asleep,
        changedAt,
        busyUntil: 0,
        coldStart: 0,
        held: false,
      },
    ],
    async resize(_app, size) {
      if (fault) throw fault;
      count = size;
      sizes.push(size);
    },
    async sleep(_app, depth) {
      asleep = depth;
      changedAt = now;
      return true;
    },
    async wake() {
      if (fault) throw fault;
      asleep = undefined;
      changedAt = now;
    },
  };
  const scaler = new Scaler({
    fleet,
    now: () => now,
    saturated: () => false,
    pressed: () => false,
    failed: (_app, error) => failed.push(error),
  });
  return {
    scaler,
    failed,
    sizes,
    state: () => asleep ?? count,
    fail: (error: unknown) => (fault = error),
    /** So many seconds of so many requests in flight. */
    async seconds(length: number, inFlight: number) {
      for (let second = 0; second < length; second += 1) {
        now += 1000;
        const load: AppLoad = {
          app: 'blog',
          inFlight,
          waiting: 0,
          mean: inFlight,
          requests: inFlight,
          idle: 0,
        };
        if (inFlight > 0) scaler.load([load]);
        await scaler.tick();
      }
    },
  };
}

describe('the autoscaler', () => {
  it('follows a ramp up within seconds, and down slowly, without a step back', async () => {
    const host = simulate();
    for (let load = 0; load <= 50; load += 1) await host.seconds(1, load);
    await host.seconds(10, 50);
    expect(host.state()).toBe(8);
    expect(host.sizes).toEqual([...host.sizes].sort((a, b) => a - b));
    host.sizes.length = 0;
    for (let load = 50; load >= 1; load -= 1) await host.seconds(1, load);
    await host.seconds(600, 1);
    expect(host.state()).toBe(1);
    expect(host.sizes).toEqual([...host.sizes].sort((a, b) => b - a));
  });

  it('does not flap when load comes in waves', async () => {
    const host = simulate();
    for (let wave = 0; wave < 20; wave += 1) {
      await host.seconds(20, 40);
      await host.seconds(20, 2);
    }
    const turns = host.sizes.filter((size, at) => at > 1 && size - (host.sizes[at - 1] ?? 0) < 0).length;
    expect(turns).toBeLessThanOrEqual(2);
  });

  it('sleeps in two steps when nobody comes, and not while somebody does', async () => {
    const host = simulate();
    await host.seconds(300, 1);
    expect(host.state()).toBe(1);
    await host.seconds(62, 0);
    expect(host.state()).toBe('light');
    await host.seconds(62, 0);
    expect(host.state()).toBe('deep');
    await host.scaler.wake('blog', { method: 'GET', host: 'h', path: '/', agent: '', peer: '' });
    expect(host.state()).toBe(1);
  });

  it('tells of a failure that is a fault, not of one that says why, and goes on', async () => {
    const host = simulate({ min: 2 });
    host.fail(new WherryError('locked', 'App blog is busy.'));
    await host.seconds(1, 0);
    expect(host.failed).toEqual([]);
    host.fail(new Error('a fault'));
    await host.seconds(1, 0);
    expect(host.failed).toHaveLength(1);
    host.fail(undefined);
    await host.seconds(1, 0);
    expect(host.state()).toBe(2);
  });

  it('says why an app is at its number', async () => {
    const host = simulate();
    await host.seconds(60, 3);
    expect(host.scaler.explain('blog')?.decision).toEqual({
      kind: 'keep',
      why: '3.0 requests in flight for a target of 10; 1 is the least.',
    });
    expect(host.scaler.explain('other')).toBeUndefined();
  });
});

describe('under pressure for memory', () => {
  const mib = 2 ** 20;
  const simulated = (sleepers: Readonly<Record<string, Partial<Group>>>) => {
    let now = 1_700_000_000_000;
    let pressed = true;
    const asleep = new Map(Object.entries(sleepers).map(([app, { asleep: depth }]) => [app, depth]));
    const told: string[] = [];
    const groups = (): Group[] =>
      Object.entries(sleepers).map(([app, changes]) => ({
        ...{ app, rules, ready: 0, count: 1, memory: mib, changedAt: now, busyUntil: 0, coldStart: 0 },
        ...{ held: false, ...changes, asleep: asleep.get(app) },
      }));
    const scaler = new Scaler({
      fleet: {
        groups,
        resize: async () => {},
        async sleep(app, depth, why) {
          asleep.set(app, depth);
          told.push(`${app} ${depth}: ${why}`);
          return true;
        },
        wake: async () => {},
      },
      now: () => now,
      saturated: () => false,
      pressed: () => pressed,
      failed: () => {},
    });
    return {
      told,
      relieve() {
        pressed = false;
      },
      async second() {
        now += 1000;
        await scaler.tick();
        return told.length;
      },
      explain: (app: string) => scaler.explain(app)?.decision,
    };
  };

  it('those that are frozen are stopped, the longest idle for the most first, one a second until it is over', async () => {
    const host = simulated({
      small: { asleep: 'light' },
      large: { asleep: 'light', memory: 100 * mib },
      many: { asleep: 'light', memory: 30 * mib, count: 4 },
      held: { asleep: 'light', memory: 999 * mib, held: true },
      deep: { asleep: 'deep', memory: 999 * mib },
      awake: { ready: 1, memory: 999 * mib },
    });
    expect(await host.second()).toBe(1);
    expect(await host.second()).toBe(2);
    expect(host.told).toEqual(['many', 'large'].map(app => `${app} deep: The host is short of memory.`));
    host.relieve();
    expect(await host.second()).toBe(2);
    expect(host.explain('small')).toMatchObject({ kind: 'keep' });
  });

  it('one that never should be stopped is, too', async () => {
    const never = { ...rules, deepAfter: Number.POSITIVE_INFINITY };
    const host = simulated({ blog: { asleep: 'light', rules: never } });
    await host.second();
    expect(host.told).toEqual(['blog deep: The host is short of memory.']);
  });
});
