import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frontEnds, openFrontEnds, type Wish } from './front-ends.ts';
import { hostileNames, plainNames } from './hostile-names.ts';

let ends: Awaited<ReturnType<typeof openFrontEnds>>;
beforeAll(async () => {
  ends = await openFrontEnds();
  await ends.bench.deployed('blog');
});
afterAll(() => ends.close());

type Place = {
  /** What the name is of. */
  readonly of: string;
  readonly wish: (name: string) => Wish;
  /** Hostile elsewhere, and a name here. */
  readonly takes?: RegExp;
};

/** `--` keeps what begins with a dash from being a flag, as in every shell. */
const places: readonly Place[] = [
  { of: 'a new app', wish: name => ({ words: ['apps:create', '--', name], body: { app: name } }) },
  { of: 'an app', wish: name => ({ words: ['ps:restart', '--', name], body: { app: name } }) },
  {
    of: 'an app that is renamed',
    wish: name => ({ words: ['apps:rename', '--', 'blog', name], body: { app: 'blog', name } }),
  },
  {
    of: 'a clone',
    wish: name => ({ words: ['apps:clone', '--', 'blog', name], body: { app: 'blog', name } }),
  },
  {
    of: 'a process type',
    wish: name => ({
      words: ['ps:scale', 'blog', '--', `${name}=1`],
      body: { app: 'blog', counts: { [name]: 1 } },
    }),
  },
  {
    of: 'a config key',
    wish: name => ({
      words: ['config:set', '--no-restart', 'blog', '--', `${name}=1`],
      body: { app: 'blog', noRestart: true, pairs: { [name]: '1' } },
    }),
    takes: /^(Blog|all|global|__proto__|a{64})$/,
  },
  {
    of: 'a domain',
    wish: name => ({ words: ['domains:add', 'blog', '--', name], body: { app: 'blog', domains: [name] } }),
    takes: /^(Blog|all|global|__proto__)$/,
  },
  {
    of: 'storage',
    wish: name => ({ words: ['storage:create', '--', name], body: { name } }),
    takes: /^(Blog|all|global|a{64})$/,
  },
  {
    of: 'a network',
    wish: name => ({ words: ['network:create', '--', name], body: { name } }),
    takes: /^(Blog|all|global)$/,
  },
  {
    of: 'a user',
    wish: name => ({
      words: ['access:grant', '--', name, 'viewer', 'blog'],
      body: { user: name, role: 'viewer', app: 'blog' },
    }),
    takes: /^(Blog|all|global)$/,
  },
  {
    of: 'a token',
    wish: name => ({ words: ['tokens:create', '--', 'ann', name], body: { user: 'ann', name } }),
    takes: /^(Blog|all|global)$/,
  },
  {
    of: 'a branch',
    wish: name => ({
      words: ['git:set', '--', 'blog', 'deploy-branch', name],
      body: { app: 'blog', property: 'deploy-branch', value: name },
    }),
    // No value clears it.
    takes: /^(Blog|all|global|__proto__|a{64}|)$/,
  },
];

describe.each(places)('as the name of $of', ({ wish, takes }) => {
  it.each(hostileNames.filter(({ name }) => !takes?.test(name)))(
    '($number) $what is refused with one sentence, alike at every front end',
    async ({ name }) => {
      const exits = [];
      for (const end of frontEnds) {
        const { exit, said } = await ends.do(end, wish(name));
        expect(said, end).toMatch(/^[\x20-\x7e\u2019]{10,400}$/);
        exits.push(exit);
      }
      expect([1, 20]).toContain(exits[0]);
      expect(new Set(exits).size, String(exits)).toBe(1);
      expect(ends.bugs()).toEqual([]);
    },
  );
});

describe('a hostile name', () => {
  it('has made nothing', () => {
    const { store } = ends.bench;
    expect(store.apps.list().map(app => app.name)).toEqual(['blog']);
    expect(store.config.own(store.apps.get('blog' as never))).toEqual({});
  });

  // Without the two dashes it may be a flag, or help: nothing is done in any case.
  it.each(hostileNames.filter(({ name }) => name.startsWith('-')))(
    '($number) that looks like a flag ($what) is one over SSH and for the client, and makes nothing',
    async ({ name }) => {
      const [ssh, argv] = [
        await ends.do('ssh', { words: ['apps:create', name], body: {} }),
        await ends.do('argv', { words: ['apps:create', name], body: {} }),
      ];
      expect(argv).toEqual(ssh);
      expect(ends.bench.store.apps.list()).toHaveLength(1);
    },
  );
});

describe('a name that only looks like trouble', () => {
  it.each(plainNames)('($number) $what is an app as any other, at every front end', async ({ name }) => {
    for (const end of frontEnds) {
      const wish = (word: string, more: string[] = [], body = {}): Wish => ({
        words: [word, name, ...more],
        body: { app: name, ...body },
      });
      expect(await ends.do(end, wish('apps:create'))).toMatchObject({ exit: 0 });
      expect(await ends.do(end, wish('config:get', ['constructor'], { key: 'constructor' }))).toMatchObject({
        exit: 1,
      });
      await ends.do(end, wish('config:set', [`${name}=1`], { pairs: { [name]: '1' } }));
      expect(await ends.do(end, wish('config:get', [name], { key: name }))).toEqual({ exit: 0, said: '1' });
      expect((await ends.do(end, wish('apps:destroy', ['--force'], { force: true }))).exit).toBe(0);
    }
    expect(ends.bench.store.apps.list()).toHaveLength(1);
  });
});
