import { describe, expect, it } from 'vitest';
import { createCounters } from '../../src/edge/counters.ts';
import { parseHost } from '../../src/edge/host.ts';
import { Pool, pick } from '../../src/edge/pool.ts';
import { buildTable } from '../../src/edge/routes.ts';

describe('a host', () => {
  it.each([
    ['demo.test', 'demo.test'],
    ['DEMO.Test', 'demo.test'],
    ['demo.test.', 'demo.test'],
    ['demo.test:8080', 'demo.test'],
    ['demo.test.:80', 'demo.test'],
    ['xn--caf-dma.test', 'xn--caf-dma.test'],
    ['127.0.0.1:80', '127.0.0.1'],
    ['[::1]:80', '[::1]'],
    ['a_b.test', 'a_b.test'],
  ])('%s is looked up as %s', (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  it.each([
    '',
    ' ',
    'a b',
    'a/b',
    'a@b',
    'a,b',
    'a..b',
    '.',
    '.a',
    'a:',
    'a:x',
    'a:123456',
    '-a',
    'caf\xe9',
    'a\\b',
    '[::1',
    'x'.repeat(300),
  ])('%j is none', text => {
    expect(parseHost(text)).toBe(undefined);
  });
});

describe('the route table', () => {
  const table = buildTable(
    {
      generation: 1,
      routes: ['exact', 'wild', 'deep'].map((app, i) => ({
        app,
        domains: [['a.demo.test'], ['*.demo.test'], ['*.b.demo.test']][i] ?? [],
        state: 'stopped',
        targets: [],
      })),
    },
    { pools: new Map(), counters: createCounters(), stickyKey: Buffer.alloc(32) },
  );

  it.each([
    ['a.demo.test', 'exact'],
    ['b.demo.test', 'wild'],
    ['x.b.demo.test', 'deep'],
    ['x.y.demo.test', undefined],
    ['demo.test', undefined],
    ['*.demo.test', undefined],
    ['localhost', undefined],
    ['.demo.test', undefined],
  ])('finds %s as %s', (host, app) => {
    const parsed = parseHost(host);
    expect(parsed === undefined ? undefined : table.find(parsed)?.app).toBe(app);
  });

  it('finds one of 10,000 names in a few microseconds', () => {
    const big = buildTable(
      {
        generation: 2,
        routes: Array.from({ length: 10_000 }, (_, i) => ({
          app: `app${i}`,
          domains: [`app${i}.test`],
          state: 'stopped' as const,
          targets: [],
        })),
      },
      { pools: new Map(), counters: createCounters(), stickyKey: Buffer.alloc(32) },
    );
    const began = performance.now();
    for (let i = 0; i < 10_000; i++) expect(big.find(`app${i}.test`)).toBeDefined();
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('the choice of a target', () => {
  const pool = (id: string, inFlight: number) => {
    const made = new Pool({ id, host: '127.0.0.1', port: 1 }, () => {});
    made.inFlight = inFlight;
    return made;
  };

  it('is the less busy of two', () => {
    const pools = [pool('a', 5), pool('b', 1)];
    for (let i = 0; i < 20; i++) expect(pick(pools)?.target.id).toBe('b');
  });

  it('reaches all of three', () => {
    const pools = [pool('a', 0), pool('b', 0), pool('c', 0)];
    expect(new Set(Array.from({ length: 100 }, () => pick(pools)?.target.id)).size).toBe(3);
  });

  it('passes over one that just refused, unless it is the only one', () => {
    const bad = pool('a', 0);
    bad.refused();
    for (let i = 0; i < 20; i++) expect(pick([bad, pool('b', 9)])?.target.id).toBe('b');
    expect(pick([bad])).toBe(bad);
    expect(pick([])).toBe(undefined);
  });
});
