import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type FrontEnd, frontEnds, openFrontEnds, type Wish } from './front-ends.ts';

// A client that vanishes in the middle of what takes long: the work ends, what ran runs on as it was, nothing is left half done
// or locked, and the next one finds all in order.

let ends: Awaited<ReturnType<typeof openFrontEnds>>;
beforeEach(async () => {
  ends = await openFrontEnds();
  await ends.bench.deployed('blog');
  await ends.bench.run('config:set', 'blog', 'OLD=1');
});
afterEach(() => ends.close());

const app = (name = 'blog') => ends.bench.store.apps.get(name as never);
const state = () => ({
  live: ends.bench.store.releases.live(app())?.version,
  domains: ends.bench.store.domains.list(app()),
  stopped: app().stopped,
  counts: [...ends.bench.deployer.counts(app())],
});

/** Begins it, waits until it is in its middle, and leaves. What ends it must be the leaving alone. */
async function vanishIn(end: FrontEnd, wish: Wish): Promise<void> {
  let [entered, left] = [false, false];
  ends.bench.runtime.says.during = async (_progress, signal) => {
    entered = true;
    await new Promise<void>(resolve => {
      if (signal?.aborted) resolve();
      signal?.addEventListener('abort', () => resolve());
    });
    left = true;
    signal?.throwIfAborted();
  };
  const begun = ends.begin(end, wish);
  await until('the middle of it', () => entered);
  begun.leave();
  await until('its end', () => left && ends.bench.locks.holder('blog') === undefined);
  ends.bench.runtime.says.during = undefined;
}

const plain = (command: string, ...more: string[]): Wish => ({
  words: [command, 'blog', ...more],
  body: { app: 'blog' },
});

const changes: readonly (readonly [string, Wish])[] = [
  ['ps:restart', plain('ps:restart')],
  ['ps:scale', { words: ['ps:scale', 'blog', 'web=3'], body: { app: 'blog', counts: { web: 3 } } }],
  ['config:set', { words: ['config:set', 'blog', 'A=1'], body: { app: 'blog', pairs: { A: '1' } } }],
  ['config:clear', plain('config:clear')],
  [
    'config:import',
    { words: ['config:import', 'blog', '-'], body: { app: 'blog', file: '-' }, stdin: 'A=1\n' },
  ],
  ['rollback', { words: ['rollback', 'blog', 'v1'], body: { app: 'blog', version: 'v1' } }],
];

describe.each(frontEnds)('a client of %s that vanishes', end => {
  it.each(changes)('in the middle of %s leaves what was live, and no lock', async (_name, wish) => {
    const before = state();
    await vanishIn(end, wish);
    expect(state()).toEqual(before);
    const { store, run } = ends.bench;
    expect(store.releases.list(app()).filter(({ status }) => status === 'pending')).toEqual([]);
    const builds = JSON.parse((await run('builds:list', 'blog', '--format', 'json')).stdout) as {
      status: string;
    }[];
    expect(builds.filter(({ status }) => !/failed|canceled|succeeded|interrupted/.test(status))).toEqual([]);
    expect(ends.bugs()).toEqual([]);
    // The next one is not held up, and does all of it.
    expect((await ends.do(end, wish)).exit).toBe(0);
    expect(ends.bench.runtime.told.at(-1)?.desired.app.name).toBe('blog');
  });

  it('in the middle of a deploy does not end it, as it does not end a push', async () => {
    let [entered, told] = [false, false];
    let goOn = () => {};
    ends.bench.runtime.says.during = async (_progress, signal) => {
      entered = true;
      signal?.addEventListener('abort', () => {
        told = true;
      });
      await new Promise<void>(resolve => {
        goOn = resolve;
      });
    };
    const words = ['git:from-image', 'blog', 'a/b:2'];
    const begun = ends.begin(end, { words, body: { app: 'blog', image: 'a/b:2' } });
    await until('the middle of it', () => entered);
    begun.leave();
    await new Promise(resolve => setTimeout(resolve, 50));
    expect(ends.bench.locks.holder('blog')).toMatch(/^git:from-image by /);
    goOn();
    await until('its end', () => ends.bench.locks.holder('blog') === undefined);
    expect(told).toBe(false);
    expect(ends.bench.store.releases.live(app())).toMatchObject({
      version: 3,
      sourceImage: 'docker.io/a/b:2',
    });
    expect(ends.bugs()).toEqual([]);
  });

  it('in the middle of apps:clone leaves an app that can be destroyed and made again', async () => {
    const wish: Wish = { words: ['apps:clone', 'blog', 'copy'], body: { app: 'blog', name: 'copy' } };
    const before = state();
    await vanishIn(end, wish);
    await until('the lock of the copy', () => ends.bench.locks.holder('copy') === undefined);
    expect(state()).toEqual(before);
    expect(ends.bench.store.releases.live(app('copy'))).toBeUndefined();
    expect((await ends.bench.run('apps:destroy', 'copy', '--force')).code).toBe(0);
    expect((await ends.do(end, wish)).exit).toBe(0);
    expect(ends.bugs()).toEqual([]);
  });

  it('in the middle of apps:rename leaves an app under one name', async () => {
    await vanishIn(end, { words: ['apps:rename', 'blog', 'mag'], body: { app: 'blog', name: 'mag' } });
    await until('the lock of the name', () => ends.bench.locks.holder('mag') === undefined);
    expect(ends.bench.store.apps.list().map(({ name }) => name)).toEqual(['mag']);
    expect(ends.bench.store.releases.live(app('mag'))?.version).toBe(2);
    expect((await ends.bench.run('ps:restart', 'mag')).code).toBe(0);
    expect(ends.bugs()).toEqual([]);
  });

  it('while it waits for its turn is forgotten', async () => {
    const before = ends.bench.runtime.told.length;
    await ends.bench.locks.with('blog', { holder: 'a deploy', wait: 0 }, async () => {
      const begun = ends.begin(end, plain('ps:restart'));
      await new Promise(resolve => setTimeout(resolve, 50));
      begun.leave();
      await new Promise(resolve => setTimeout(resolve, 50));
    });
    await until('the lock', () => ends.bench.locks.holder('blog') === undefined);
    expect(ends.bench.runtime.told).toHaveLength(before);
    expect((await ends.do(end, plain('ps:restart'))).exit).toBe(0);
  });

  it('from logs that go on ends the reading', async () => {
    let [began, ended] = [false, false];
    ends.bench.runtime.logs = async function* (_app, { signal }) {
      began = true;
      try {
        yield { at: new Date(0), dyno: 'web.1', stream: 'stdout', text: 'first' };
        await new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()));
      } finally {
        ended = true;
      }
    };
    const begun = ends.begin(end, { words: ['logs', 'blog', '-t'], body: { app: 'blog', tail: true } });
    await until('the first line', () => began);
    begun.leave();
    await until('the end', () => ended);
    expect(ends.bugs()).toEqual([]);
  });

  it('in the middle of standard input changes nothing', async () => {
    if (end === 'api') return;
    async function* half(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"A":"1",');
      await new Promise(() => {});
    }
    const wish: Wish = {
      words: ['config:import', '--format', 'json', 'blog', '-'],
      body: {},
      stdin: Readable.from(half()),
    };
    const begun = ends.begin(end, wish);
    await until('the lock to be held', () => ends.bench.locks.holder('blog') !== undefined);
    begun.leave();
    await until('the lock', () => ends.bench.locks.holder('blog') === undefined);
    expect(ends.bench.store.config.own(app())).toEqual({ OLD: '1' });
    expect(ends.bugs()).toEqual([]);
  });
});
