import { describe, expect, it } from 'vitest';
import type { ScalingRules } from '../../src/domain/scaling.ts';
import type { Group } from '../../src/scale/fleet.ts';
import { decide, isBurst, type Signal, wanted } from '../../src/scale/rules.ts';

const rules: ScalingRules = {
  automatic: true,
  min: 0,
  max: 4,
  target: 10,
  idle: 60_000,
  deepAfter: 60_000,
  wakeTimeout: 30_000,
  awake: 10_000,
};
const at = 1_000_000_000;

const group = (changes: Partial<Group> = {}): Group => ({
  app: 'blog',
  rules,
  ready: 1,
  count: 1,
  memory: 1,
  asleep: undefined,
  changedAt: at - 3_600_000,
  busyUntil: 0,
  coldStart: 0,
  held: false,
  ...changes,
});
const signal = (changes: Partial<Signal> = {}): Signal => ({
  now: at,
  stable: 0,
  panic: 0,
  inFlight: 0,
  idle: 0,
  mostWanted: 0,
  grownAt: 0,
  shrunkAt: 0,
  panicUntil: 0,
  saturated: false,
  pressed: false,
  ...changes,
});

describe('how many are wanted', () => {
  it.each([
    [0, 0],
    [0.1, 1],
    [7, 1],
    [7.1, 2],
    [28, 4],
  ])('%d in flight for a target of 10 is %d', (inFlight, count) => expect(wanted(inFlight, 10)).toBe(count));
});

describe('a decision', () => {
  const rows: [string, Partial<Group>, Partial<Signal>, object][] = [
    ['sleeps lightly when it was not used for long', {}, { idle: 60_000 }, { kind: 'sleep', depth: 'light' }],
    ['keeps it a moment before', {}, { idle: 59_999 }, { kind: 'keep' }],
    [
      'sleeps deeply at once where nothing is to be frozen',
      { rules: { ...rules, deepAfter: 0 } },
      { idle: 60_000 },
      { kind: 'sleep', depth: 'deep' },
    ],
    ['keeps what has a request in flight', {}, { idle: 60_000, inFlight: 1 }, { kind: 'keep' }],
    ['keeps what must not sleep', { rules: { ...rules, min: 1 } }, { idle: 1e9 }, { kind: 'keep' }],
    ['keeps what says that it is busy', { busyUntil: at + 1 }, { idle: 1e9 }, { kind: 'keep', why: /busy/ }],
    [
      'keeps what has just woken',
      { changedAt: at - 9999 },
      { idle: 1e9 },
      { kind: 'keep', why: /stays awake/ },
    ],
    [
      'does not let sleep what takes long to start',
      { coldStart: 10_000 },
      { idle: 199_999 },
      { kind: 'keep' },
    ],
    ['until it was idle twenty starts long', { coldStart: 10_000 }, { idle: 200_000 }, { kind: 'sleep' }],
    ['keeps hands off what somebody else does something to', { held: true }, { idle: 1e9 }, { kind: 'keep' }],
    ['leaves frozen for a while', { asleep: 'light', changedAt: at - 59_999 }, {}, { kind: 'keep' }],
    [
      'stops what was frozen long',
      { asleep: 'light', changedAt: at - 60_000 },
      {},
      { kind: 'sleep', depth: 'deep' },
    ],
    [
      'never stops what is to stay frozen',
      { asleep: 'light', changedAt: 0, rules: { ...rules, deepAfter: Number.POSITIVE_INFINITY } },
      {},
      { kind: 'keep' },
    ],
    ['leaves what sleeps deeply', { asleep: 'deep', changedAt: 0 }, {}, { kind: 'keep' }],
    ['starts what is below the least', { rules: { ...rules, min: 3 } }, {}, { kind: 'resize', count: 3 }],
    ['grows by its load', {}, { stable: 14, panic: 14 }, { kind: 'resize', count: 2 }],
    ['grows by a burst of seconds', {}, { stable: 3, panic: 14 }, { kind: 'resize', count: 2 }],
    ['at most doubles', {}, { stable: 100, panic: 100 }, { kind: 'resize', count: 2 }],
    [
      'never grows beyond the most',
      { ready: 4, count: 4 },
      { stable: 100, panic: 100, mostWanted: 15 },
      { kind: 'keep', why: /4 is the most/ },
    ],
    ['does not grow again at once', {}, { stable: 14, panic: 14, grownAt: at - 4999 }, { kind: 'keep' }],
    ['does not grow while others start', { count: 2 }, { stable: 28, panic: 28 }, { kind: 'keep' }],
    [
      'does not grow on a host whose processors are short',
      {},
      { stable: 14, panic: 14, saturated: true },
      { kind: 'keep', why: /processors are short/ },
    ],
    [
      'shrinks one by one',
      { ready: 4, count: 4 },
      { stable: 3, mostWanted: 1 },
      { kind: 'resize', count: 3 },
    ],
    [
      'not while the last two minutes ask for as many',
      { ready: 4, count: 4 },
      { stable: 3, mostWanted: 4 },
      { kind: 'keep' },
    ],
    [
      'not after a burst',
      { ready: 4, count: 4 },
      { stable: 3, mostWanted: 1, panicUntil: at + 1 },
      { kind: 'keep' },
    ],
    [
      'not twice in half a minute',
      { ready: 4, count: 4 },
      { stable: 3, mostWanted: 1, shrunkAt: at - 29_999 },
      { kind: 'keep' },
    ],
    [
      'not when those who stay would be too full',
      { ready: 2, count: 2 },
      { stable: 9, mostWanted: 1 },
      { kind: 'keep', why: /too full/ },
    ],
    ['down to the most that is allowed', { ready: 6, count: 6 }, { stable: 1 }, { kind: 'resize', count: 4 }],
    ['never below one but by sleep', { rules: { ...rules, idle: 1e9 } }, { idle: 60_000 }, { kind: 'keep' }],
  ];
  it.each(rows)('%s', (_what, of, by, expected) => {
    const decision = decide(group(of), signal(by));
    const { why, ...rest } = expected as { why?: RegExp };
    expect(decision).toMatchObject(rest);
    if (why) expect(decision.why).toMatch(why);
    expect(decision.why).toMatch(/\.$/);
  });
});

describe('a burst', () => {
  it('asks for twice what there is', () => {
    expect(isBurst(group(), 14)).toBe(true);
    expect(isBurst(group({ ready: 2 }), 14)).toBe(false);
    expect(isBurst(group({ ready: 0 }), 14)).toBe(false);
  });
});
