import { describe, expect, it } from 'vitest';
import type { Route, Routing } from '../../src/domain/route.ts';
import { lanesOf } from '../../src/fast-path/lanes.ts';

const target = { id: 'blog-1', host: '10.0.0.2', port: 5000 };
const blog: Route = {
  app: 'blog',
  domains: ['blog.test', '*.blog.test'],
  state: 'serving',
  targets: [target],
};
const lanes = (route: Partial<Route>, more: Partial<Routing> = {}) =>
  lanesOf({ routes: [{ ...blog, ...route }], ...more }, { slots: 2 });
const hold = { timeout: 1000, queue: 10, waitingPage: false, ignorePaths: [], ignoreAgents: [] };

describe('what a front may serve past the edge', () => {
  it('is an app that needs nothing else, by its exact hosts', () => {
    expect(lanes({})).toEqual(new Map([['blog', { hosts: ['blog.test'], targets: [target] }]]));
  });

  it('is one that sleeps too, without instances', () => {
    expect(lanes({ state: 'asleep', targets: [], hold }).get('blog')?.targets).toEqual([]);
  });

  it.each<[string, Partial<Route>]>([
    ['is in maintenance', { maintenance: true }],
    ['has pages of its own', { pages: { '502': 'sum' } as never }],
    ['sends hosts elsewhere', { redirects: {} as never }],
    ['bounds bodies', { policy: { bodyLimit: 10 } }],
    ['keeps visitors at their instance', { policy: { sticky: true } }],
    ['lets only some in', { policy: { allow: ['10.0.0.0/8'] } }],
    ['ignores some of its requests', { hold: { ...hold, ignorePaths: ['/health'] } }],
    ['has wildcard hosts alone', { domains: ['*.blog.test'] }],
    ['has more instances than a lane has room for', { targets: [target, target, target] }],
    ['does not serve', { state: 'crashed' }],
    ['has a rule that nobody here knows', { another: true } as never],
  ])('is none that %s', (_what, route) => {
    expect(lanes(route).size).toBe(0);
  });

  it.each([['blog.test'], ['*.test']])(
    'is none whose visitors are sent to HTTPS, by a certificate for %s',
    name => {
      const certificates = [{ id: 'one', names: [name] }];
      expect(lanes({}, { certificates }).size).toBe(0);
      expect(lanes({ policy: { plainHttp: true } }, { certificates }).size).toBe(1);
    },
  );
});
