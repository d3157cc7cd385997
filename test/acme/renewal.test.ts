import { describe, expect, it } from 'vitest';
import { alarmOf, backOff, momentIn, renewalTime } from '../../src/acme/renewal.ts';

const day = 86_400_000;
const start = new Date('2026-01-01T00:00:00Z');
const life = (days: number) => ({ notBefore: start, notAfter: new Date(start.getTime() + days * day) });
const dayOf = (date: Date) => (date.getTime() - start.getTime()) / day;
const hosts = Array.from({ length: 200 }, (_, at) => `host${at}.example.org`);

describe('the time of a renewal', () => {
  it('is at about two thirds of the life, for long and short ones', () => {
    for (const days of [6, 45, 90])
      for (const host of hosts) {
        const at = dayOf(renewalTime(life(days), host)) / days;
        expect(at).toBeGreaterThan(0.61);
        expect(at).toBeLessThanOrEqual(0.667);
      }
  });

  it('differs from host to host and stays the same for each', () => {
    const times = hosts.map(host => renewalTime(life(90), host).getTime());
    expect(new Set(times).size).toBeGreaterThan(190);
    expect(times).toEqual(hosts.map(host => renewalTime(life(90), host).getTime()));
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(3 * day);
  });

  it('is as long before the end as was set, though never in the first half of the life', () => {
    for (const host of hosts) {
      const set = dayOf(renewalTime(life(90), host, 20 * day));
      expect(set).toBeGreaterThan(65);
      expect(set).toBeLessThanOrEqual(70);
      expect(dayOf(renewalTime(life(6), host, 30 * day))).toBeGreaterThanOrEqual(3);
    }
  });

  it('lies within the window that an authority suggests, spread over it', () => {
    const window = { start, end: new Date(start.getTime() + 2 * day) };
    const times = hosts.map(host => dayOf(momentIn(window, host)));
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(2);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(1);
    expect(momentIn({ start, end: new Date(0) }, 'a.example.org')).toEqual(start);
  });
});

describe('the wait after a failure', () => {
  it('doubles from a quarter of an hour up to a day', () => {
    const minutes = [1, 2, 3, 8, 50, 1000].map(failures => backOff(failures, 'a.example.org') / 60_000);
    const [first = 0, second = 0, third = 0] = minutes;
    expect(first).toBeGreaterThanOrEqual(15);
    expect(first).toBeLessThanOrEqual(18);
    expect([second / first, third / first].map(Math.round)).toEqual([2, 4]);
    for (const late of minutes.slice(3)) expect(late).toBeLessThanOrEqual(1.2 * 24 * 60);
  });
});

describe('an alarm', () => {
  it('comes with the end in sight, once more close before it, and at the end', () => {
    const at = (days: number) => alarmOf(life(90), new Date(start.getTime() + days * day));
    expect([60, 74, 76, 85, 86, 89.9, 90, 200].map(at)).toEqual([
      undefined,
      undefined,
      'soon',
      'soon',
      'very soon',
      'very soon',
      'expired',
      'expired',
    ]);
  });
});
