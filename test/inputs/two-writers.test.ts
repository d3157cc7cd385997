import { describe, expect, it } from 'vitest';
import type { App } from '../../src/domain/app.ts';
import { type Bench, createBench, type Ran } from '../commands/support.ts';

// Two people change one app at once. Whatever was acknowledged is so afterwards, or the other of the two has undone it in its
// turn; what cannot be is refused with a sentence. Each pair runs in two ways: either is begun in the middle of the
// other.

type Change = {
  readonly words: readonly string[];
  /** Whether it is so, of an app that is still there. */
  readonly holds: (bench: Bench, app: App) => boolean;
  /** Names of changes that undo it when they come after it. */
  readonly undoneBy?: readonly string[];
};

const own = (bench: Bench, app: App) => bench.store.config.own(app);
/** Of the release that is live. */
const live = (bench: Bench, app: App) => {
  const release = bench.store.releases.live(app);
  return release ? bench.store.releases.config(release) : {};
};

const changes: Readonly<Record<string, Change>> = {
  'config:set A': {
    words: ['config:set', 'blog', 'A=1'],
    holds: (bench, app) => own(bench, app)['A'] === '1' && live(bench, app)['A'] === '1',
    undoneBy: ['config:clear', 'rollback'],
  },
  'config:set B': {
    words: ['config:set', 'blog', 'B=2', 'C=3'],
    holds: (bench, app) => own(bench, app)['B'] === '2' && live(bench, app)['C'] === '3',
    undoneBy: ['config:clear', 'rollback'],
  },
  'config:clear': {
    words: ['config:clear', 'blog'],
    holds: (bench, app) => own(bench, app)['OLD'] === undefined,
    undoneBy: ['rollback'],
  },
  rollback: {
    words: ['rollback', 'blog', 'v1'],
    holds: (bench, app) => bench.store.releases.list(app).length > 2,
  },
  'ps:scale web': {
    words: ['ps:scale', 'blog', 'web=3'],
    holds: (bench, app) => bench.deployer.counts(app).get('web' as never) === 3,
  },
  'ps:scale worker': {
    words: ['ps:scale', 'blog', 'worker=2'],
    holds: (bench, app) => bench.deployer.counts(app).get('worker' as never) === 2,
  },
  deploy: {
    words: ['git:from-image', 'blog', 'example.org/blog:2'],
    holds: (bench, app) => bench.store.releases.list(app).some(({ sourceImage }) => sourceImage !== null),
  },
  rebuild: {
    words: ['ps:rebuild', 'blog'],
    holds: (bench, app) => bench.store.releases.list(app).some(({ version }) => version > 2),
  },
  'ps:stop': {
    words: ['ps:stop', 'blog'],
    holds: (_bench, app) => app.stopped,
    undoneBy: ['deploy', 'rebuild', 'rollback'],
  },
  'resource:limit': {
    words: ['resource:limit', '--memory', '256m', 'blog'],
    holds: (bench, app) => bench.store.limits.rows(app).some(({ memory }) => memory === 256 * 2 ** 20),
  },
  'domains:add': {
    words: ['domains:add', 'blog', 'www.example.com'],
    holds: (bench, app) => bench.store.domains.list(app).includes('www.example.com' as never),
  },
  rename: {
    words: ['apps:rename', 'blog', 'mag'],
    holds: (_bench, app) => app.name === 'mag',
  },
  clone: {
    words: ['apps:clone', 'blog', 'copy'],
    holds: bench => bench.store.apps.list().some(({ name }) => name === 'copy'),
  },
  destroy: { words: ['apps:destroy', 'blog', '--force'], holds: () => false },
};

const names = Object.keys(changes);
const pairs = names.flatMap((first, at) => names.slice(at).map(second => [first, second] as const));

describe.each(['first', 'second'])('two writers, the other in the middle of the %s', how => {
  it.each(pairs)('%s and %s', async (first, second) => {
    const bench = await theApp();
    const [one, two] = [changes[first] as Change, changes[second] as Change];
    const [came, cameToo] =
      how === 'first' ? await within(bench, one, two) : (await within(bench, two, one)).toReversed();
    const outcomes = [
      { name: first, other: second, change: one, came: came as Ran },
      { name: second, other: first, change: two, came: cameToo as Ran },
    ];
    for (const { name, came: ended } of outcomes) {
      expect([0, 1, 20, 22], `${name}: ${ended.stderr}`).toContain(ended.code);
      if (ended.code !== 0) expect(ended.stderr, name).toMatch(/^ ! {5}\S.{8,}/);
    }
    expect(bench.logged.filter(line => line['err'] !== undefined)).toEqual([]);
    // At most one of two gives way.
    expect([came?.code, cameToo?.code]).toContain(0);

    const apps = bench.store.apps.list().filter(({ name }) => name !== 'copy');
    const destroyed = outcomes.some(({ name, came: { code } }) => name === 'destroy' && code === 0);
    expect(apps).toHaveLength(destroyed ? 0 : 1);
    const app = apps[0];
    for (const { name, other, change, came: ended } of outcomes) {
      if (!app || ended.code !== 0) continue;
      if (change.undoneBy?.includes(other)) continue;
      expect(change.holds(bench, app), `${name} was acknowledged`).toBe(true);
    }
    for (const held of ['blog', 'mag', 'copy']) expect(bench.locks.holder(held)).toBeUndefined();
  });
});

/** An app with two releases, the newer one with other config. */
async function theApp(): Promise<Bench> {
  const bench = createBench();
  await bench.deployed('blog');
  await bench.run('config:set', 'blog', 'OLD=1');
  await bench.run('git:set', 'blog', 'deploy-branch', 'main');
  bench.heads.set('blog', '1'.repeat(40));
  return bench;
}

/** The second is begun when the first has touched what runs, or else right after it. */
async function within(bench: Bench, first: Change, second: Change): Promise<Ran[]> {
  let begun: Promise<Ran> | undefined;
  const begin = () => {
    begun ??= bench.run(...second.words);
    return begun;
  };
  bench.runtime.says.during = async () => {
    void begin();
    for (let turn = 0; turn < 5; turn += 1) await new Promise(resolve => setImmediate(resolve));
  };
  const came = await bench.run(...first.words);
  return [came, await begin()];
}
