import { describe, expect, it } from 'vitest';
import type { Group } from '../../src/scale/fleet.ts';
import { Room } from '../../src/scale/room.ts';
import type { Signal } from '../../src/scale/rules.ts';
import { victims } from '../../src/scale/victims.ts';

const mib = 2 ** 20;

/** A host of 1000 MiB on a clock that jumps; `idle` apps of 200 MiB each can be put to sleep. */
function host({ idle = 0 } = {}) {
  let now = 0;
  let used = 0;
  let sleepers = idle;
  const room = new Room({
    budget: () => 1000 * mib,
    used: () => used,
    async makeRoom() {
      if (sleepers === 0) return false;
      sleepers -= 1;
      used -= 200 * mib;
      return true;
    },
    sleep: async ms => {
      now += ms;
      await new Promise(resolve => setImmediate(resolve));
    },
    now: () => now,
  });
  return {
    room,
    use: (bytes: number) => (used += bytes * mib),
    left: () => sleepers,
    take: (megabytes: number, more: object = {}) =>
      room.take({ app: 'blog', bytes: megabytes * mib, patience: 1000, ...more }),
  };
}

describe('the memory of the host', () => {
  it('is promised as long as there is some, and given back', async () => {
    const { take, room } = host();
    const back = await take(600);
    expect(room.taken).toBe(600 * mib);
    await expect(take(500)).rejects.toThrow(
      'The host is short of memory: blog needs 500m, and of the 1000m for apps and builds 400m are free.',
    );
    back();
    await take(1000);
  });

  it('is taken back from apps that sleep for it, and from no more than it takes', async () => {
    const { take, use, left } = host({ idle: 4 });
    use(900);
    await take(400);
    expect(left()).toBe(2);
  });

  it('is refused at once to what could never have it', async () => {
    const { take, left } = host({ idle: 2 });
    await expect(take(1001, { patience: 1e9 })).rejects.toThrow('needs 1001m');
    expect(left()).toBe(2);
  });

  it('goes to who came first, also past one who wants less', async () => {
    const { take } = host();
    const back = await take(800);
    const order: string[] = [];
    const told: string[] = [];
    const large = take(900, { onWait: (why: string) => told.push(why) }).then(() => order.push('large'));
    const small = take(100).then(() => order.push('small'));
    await new Promise(resolve => setImmediate(resolve));
    expect(order).toEqual([]);
    back();
    await Promise.all([large, small]);
    expect(order).toEqual(['large', 'small']);
    expect(told).toHaveLength(1);
  });

  it('is not held by who went away', async () => {
    const { take } = host();
    const back = await take(800);
    const over = new AbortController();
    const waiting = take(900, { signal: over.signal });
    over.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    back();
    await take(1000);
  });
});

describe('who gives memory back', () => {
  const rules = {
    automatic: true,
    min: 0,
    max: 4,
    target: 10,
    idle: 1,
    deepAfter: 1,
    wakeTimeout: 1,
    awake: 1,
  };
  const idle = (app: string, group: Partial<Group>, signal: Partial<Signal> = {}) => ({
    group: {
      app,
      rules,
      ready: 1,
      count: 1,
      memory: 1,
      coldStart: 0,
      changedAt: 0,
      busyUntil: 0,
      held: false,
      asleep: undefined,
      ...group,
    },
    signal: { now: 1000, inFlight: 0, idle: 10, ...signal } as Signal,
  });
  const names = (...all: ReturnType<typeof idle>[]) => victims(all).map(({ group }) => group.app);

  it('is a spare instance first, then who was idle longest for the most', () => {
    expect(
      names(
        idle('small', {}),
        idle('large', { memory: 10 }),
        idle('old', {}, { idle: 1000 }),
        idle('spare', { count: 2 }),
      ),
    ).toEqual(
      ['spare', 'old', 'large', 'spare', 'small'].filter(
        (name, at, all) => all.indexOf(name) === at || name === 'spare',
      ),
    );
  });

  it('is never who is in use, says that it is busy, must stay, or has nothing to give', () => {
    expect(
      names(
        idle('used', {}, { inFlight: 1 }),
        idle('busy', { busyUntil: 2000 }),
        idle('must', { rules: { ...rules, min: 1 } }),
        idle('deep', { asleep: 'deep' }),
      ),
    ).toEqual([]);
    expect(names(idle('frozen', { asleep: 'light' }))).toEqual(['frozen']);
  });
});
