import { describe, expect, it } from 'vitest';
import { Patience } from '../../src/ssh/patience.ts';

const limits = {
  failures: { most: 3, pause: 100 },
  failuresInAll: { most: 10, pause: 10 },
  trust: 1000,
};

function start() {
  let now = 5;
  const patience = new Patience(limits, () => now);
  const fail = (address: string, times: number) => {
    for (let count = 0; count < times; count += 1) patience.failed(address);
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { patience, fail, pass };
}

describe('who connects and does not log in', () => {
  it('is turned away after some tries, and let in now and then', () => {
    const { patience, fail, pass } = start();
    fail('192.0.2.1', 2);
    expect(patience.isOver('192.0.2.1')).toBe(false);
    fail('192.0.2.1', 1);
    expect(patience.isOver('192.0.2.1')).toBe(true);
    expect(patience.isOver('192.0.2.2')).toBe(false);
    pass(101);
    expect(patience.isOver('192.0.2.1')).toBe(false);
    fail('192.0.2.1', 1);
    expect(patience.isOver('192.0.2.1')).toBe(true);
  });

  it('has one count for all addresses that one party has of IPv6', () => {
    const { patience, fail } = start();
    for (const tail of ['1', '2', 'ffff:1']) fail(`2001:db8:0:1::${tail}`, 1);
    expect(patience.isOver('2001:db8:0:1::3')).toBe(true);
    expect(patience.isOver('2001:db8:0:2::1')).toBe(false);
  });

  it('is turned away wherever they are when all together are too many', () => {
    const { patience, fail, pass } = start();
    for (let host = 1; host <= 10; host += 1) fail(`192.0.2.${host}`, 1);
    expect(patience.isOver('198.51.100.1')).toBe(true);
    pass(11);
    expect(patience.isOver('198.51.100.1')).toBe(false);
  });

  it('locks nobody out at an address that somebody has logged in from, for a day', () => {
    const { patience, fail, pass } = start();
    patience.loggedIn('192.0.2.1');
    fail('192.0.2.1', 50);
    expect(patience.isOver('192.0.2.1')).toBe(false);
    expect(patience.isOver('192.0.2.2')).toBe(true);
    pass(1001);
    expect(patience.isOver('192.0.2.1')).toBe(true);
  });
});
