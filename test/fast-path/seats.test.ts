import { describe, expect, it } from 'vitest';
import type { Target } from '../../src/domain/route.ts';
import { Seats } from '../../src/fast-path/seats.ts';
import { Tally } from '../../src/fast-path/tally.ts';

const targetAt = (port: number): Target => ({ id: `app-${port}`, host: '10.0.0.2', port });
const lane = (hosts: string[], ...ports: number[]) => ({ hosts, targets: ports.map(targetAt) });
const seats = (lanes = 2, slots = 2) => new Seats({ lanes, slots, map: 'm' });
const busy = (backend: string, server: string) => ({ backend, server, current: 1, total: 1 });

describe('seats', () => {
  it('bring in instances before their hosts', () => {
    expect(seats().seat(new Map([['blog', lane(['blog.test'], 1, 2)]]), 0)).toEqual([
      'set server lane1/app1 addr 10.0.0.2 port 1',
      'set server lane1/app1 state ready',
      'set server lane1/app2 addr 10.0.0.2 port 2',
      'set server lane1/app2 state ready',
      'add map m blog.test lane1',
    ]);
  });

  it('change nothing when nothing changed', () => {
    const some = seats();
    const lanes = new Map([['blog', lane(['blog.test'], 1)]]);
    some.seat(lanes, 0);
    expect(some.seat(lanes, 0)).toEqual([]);
    expect(some.count([], 0)).toEqual([]);
  });

  it('hold an instance that goes until its last request has ended', () => {
    const some = seats();
    some.seat(new Map([['blog', lane(['blog.test'], 1)]]), 0);
    const commands = some.seat(new Map([['blog', lane(['blog.test'], 2)]]), 0);
    expect(commands).toEqual([
      'set server lane1/app2 addr 10.0.0.2 port 2',
      'set server lane1/app2 state ready',
      'set server lane1/app1 state drain',
    ]);
    expect(some.count([busy('lane1', 'app1')], 0)).toEqual([]);
    expect(some.isQuiet('app-1')).toBe(false);
    expect(some.isQuiet('app-2')).toBe(false);
    expect(some.count([], 0)).toEqual(['set server lane1/app1 state maint']);
    expect(some.isQuiet('app-1')).toBe(true);
  });

  it('leave a whole app to the edge while there is no room for all its instances', () => {
    const some = seats(1, 2);
    some.seat(new Map([['blog', lane(['blog.test'], 1, 2)]]), 0);
    const next = new Map([['blog', lane(['blog.test'], 2, 3)]]);
    expect(some.seat(next, 0)).toEqual([
      'set server lane1/app1 state drain',
      'set server lane1/app2 state drain',
    ]);
    some.count([], 0);
    expect(some.seat(next, 0).filter(each => each.endsWith('ready'))).toHaveLength(2);
  });

  it('keep the lane of an app that sleeps, and give up that of one that is gone, after a rest', () => {
    const some = seats(1);
    some.seat(new Map([['blog', lane(['blog.test'], 1)]]), 0);
    expect(some.seat(new Map([['blog', lane(['blog.test'])]]), 0)).toEqual([
      'set server lane1/app1 state drain',
    ]);
    some.count([], 0);
    expect(some.appOf('lane1')).toBe('blog');
    const other = new Map([['shop', lane(['shop.test'], 2)]]);
    expect(some.seat(other, 0)).toEqual(['del map m blog.test']);
    some.count([], 0);
    expect(some.seat(other, 9000)).toEqual([]);
    expect(some.seat(other, 10_000).at(-1)).toBe('add map m shop.test lane1');
    expect(some.appOf('lane1')).toBe('shop');
  });

  it('take a host from one app before another gets it', () => {
    const some = seats();
    some.seat(
      new Map([
        ['blog', lane(['a.test'], 1)],
        ['shop', lane(['b.test'], 2)],
      ]),
      0,
    );
    const commands = some.seat(
      new Map([
        ['blog', lane(['b.test'], 1)],
        ['shop', lane(['a.test'], 2)],
      ]),
      0,
    );
    expect(commands).toEqual([
      'del map m a.test',
      'del map m b.test',
      'add map m b.test lane1',
      'add map m a.test lane2',
    ]);
  });

  it('of a control that is gone are let go, and nothing counts as quiet until they are empty', () => {
    const some = seats(1, 1);
    expect(some.clear()).toEqual(['clear map m', 'set server lane1/app1 state drain']);
    expect(some.isQuiet('anything')).toBe(false);
    some.count([busy('lane1', 'app1')], 0);
    expect(some.isQuiet('anything')).toBe(false);
    expect(some.seat(new Map([['blog', lane(['blog.test'], 1)]]), 0)).toEqual([]);
    some.count([], 0);
    expect(some.isQuiet('anything')).toBe(true);
  });
});

describe('a tally', () => {
  it('tells what came since the last look, and for how long an app is idle', () => {
    const tally = new Tally();
    const look = (current: number, total: number, now: number) =>
      tally.take(new Map([['blog', { current, total }]]), now);
    tally.meet(new Map([['blog', { current: 0, total: 70 }]]), 0);
    expect(look(2, 80, 1000)).toEqual([
      { app: 'blog', inFlight: 2, waiting: 0, mean: 1, requests: 10, idle: 0 },
    ]);
    expect(look(0, 80, 2000)).toEqual([]);
    // HAProxy began anew, and counts from nothing.
    expect(look(0, 3, 3000)).toEqual([]);
    expect(look(0, 4, 4000)[0]).toMatchObject({ requests: 1, inFlight: 0, idle: 0 });
  });
});
