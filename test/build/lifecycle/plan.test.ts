import { describe, expect, it } from 'vitest';
import {
  type Alternative,
  type Passed,
  planSchema,
  resolvePlan,
  whyNoPlan,
} from '../../../src/build/lifecycle/plan.ts';

const alternative = (provides: string[], requires: string[]): Alternative => ({
  provides,
  requires: requires.map(name => ({ name, metadata: {} })),
});
const passed = (id: string, ...alternatives: Alternative[]): Passed => ({
  id,
  optional: false,
  alternatives,
});
const optional = (id: string, ...alternatives: Alternative[]): Passed => ({
  id,
  optional: true,
  alternatives,
});
const group = (all: Passed[], platform: string[] = []) => resolvePlan(all, new Set(platform))?.group;

describe('the build plan', () => {
  it('D8 is met when everything required is provided at the same place or before, and the reverse', () => {
    expect(group([passed('a', alternative(['x'], [])), passed('b', alternative([], ['x']))])).toEqual([
      'a',
      'b',
    ]);
    expect(group([passed('a', alternative(['x'], ['x']))])).toEqual(['a']);
    expect(group([passed('b', alternative([], ['x'])), passed('a', alternative(['x'], []))])).toBeUndefined();
    expect(group([passed('a', alternative(['x'], []))])).toBeUndefined();
  });

  it('D8 says of the first buildpack that must take part what it lacks, once optional ones are dropped', () => {
    const why = (all: Passed[], platform: string[] = []) => whyNoPlan(all, new Set(platform));
    const helper = optional('helper', alternative(['x'], ['nowhere']));
    const user = passed('user', alternative([], ['x']));
    expect(why([helper, user])).toMatch(
      /^Buildpack user requires "x", which neither it nor one before it provides\./,
    );
    expect(why([helper, user], ['nowhere'])).toBeUndefined();
    expect(why([helper])).toBeUndefined();
    expect(why([user, passed('late', alternative(['x'], []))], ['x'])).toMatch(
      /^Buildpack late provides "x"/,
    );
  });

  it('D8 drops optional buildpacks that do not fit, until what is left fits', () => {
    const all = [
      optional('a', alternative(['x'], ['y'])),
      optional('b', alternative([], ['x'])),
      passed('c', alternative([], [])),
    ];
    expect(group(all)).toEqual(['c']);
    expect(group([optional('a', alternative(['x'], []))])).toBeUndefined();
  });

  it('D9 tries all alternatives of an optional buildpack before it drops it', () => {
    const all = [
      optional('a', alternative(['x'], []), alternative(['y'], [])),
      passed('b', alternative([], ['y'])),
    ];
    expect(group(all)).toEqual(['a', 'b']);
  });

  it('D9 tries alternatives depth first, up to the sixteenth of sixteen', () => {
    const hard = (id: string) => passed(id, alternative([`${id}-no`], []), alternative([id], [id]));
    const all = ['a', 'b', 'c', 'd'].map(hard);
    expect(resolvePlan(all, new Set())?.entries.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('D10 keeps several providers of a name in order and gives them all requirements', () => {
    const plan = resolvePlan(
      [
        passed('a', alternative(['x'], [])),
        passed('b', alternative(['x'], ['x'])),
        passed('c', alternative([], ['x'])),
      ],
      new Set(),
    );
    expect(plan?.entries).toEqual([
      {
        name: 'x',
        providers: ['a', 'b'],
        requires: [
          { name: 'x', metadata: {} },
          { name: 'x', metadata: {} },
        ],
      },
    ]);
  });

  it('lets the platform provide what no buildpack does, and a buildpack before the platform', () => {
    const wants = passed('b', alternative([], ['node']));
    expect(resolvePlan([wants], new Set(['node']))?.platform.map(({ name }) => name)).toEqual(['node']);
    const both = resolvePlan([passed('a', alternative(['node'], [])), wants], new Set(['node']));
    expect([both?.platform, both?.entries.map(({ name }) => name)]).toEqual([[], ['node']]);
  });

  it('D7 refuses a top-level version in requires and keeps metadata', () => {
    expect(planSchema.safeParse({ requires: [{ name: 'x', version: '1' }] }).success).toBe(false);
    const [first, second] = planSchema.parse({
      requires: [{ name: 'x', metadata: { version: '1' } }],
      or: [{ provides: [{ name: 'y' }] }],
    });
    expect(first).toEqual({ provides: [], requires: [{ name: 'x', metadata: { version: '1' } }] });
    expect(second).toEqual({ provides: ['y'], requires: [] });
  });
});
