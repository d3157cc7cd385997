import { beforeEach, describe, expect, it } from 'vitest';
import { unfinishedRenames } from '../../src/deploy/rename.ts';
import { WherryError } from '../../src/domain/errors.ts';
import type { AppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  await bench.run('domains:add', 'blog', 'www.example.net');
  await bench.run('config:set', 'blog', 'A=1');
  await bench.deployed('blog');
});
const verbs = () => bench.runtime.told.map(({ verb, desired }) => `${verb} ${desired.app.name}`);
const app = (name: string) => bench.store.apps.find(name as AppName);

describe('apps:rename', () => {
  it('gives the app its new name with all it has, and replaces what runs', async () => {
    const id = app('blog')?.id;
    const { code, stdout } = await bench.run('apps:rename', 'blog', 'journal');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-----> Renaming blog to journal\n/);
    expect(app('blog')).toBeUndefined();
    expect(app('journal')).toMatchObject({ id, stopped: false });
    expect(bench.moved).toEqual([['blog', 'journal']]);
    // The edge knows the new name before anything is replaced.
    expect(verbs()).toEqual(['rename journal', 'deploy journal']);
    expect(bench.store.domains.list(app('journal') ?? never())).toEqual([
      'journal.example.org',
      'www.example.net',
    ]);
    expect((await bench.run('config:get', 'journal', 'A')).stdout).toBe('1\n');
    const events = (await bench.run('events', 'journal')).stdout;
    expect(events).toMatch(/ journal create: Created/);
    expect(events).toMatch(/ journal rename: v2 is live: Renamed from blog \(local\)/);
    await expect.poll(() => unfinishedRenames(bench.store)).toEqual([]);
    expect((await bench.run('apps:create', 'blog')).code).toBe(0);
  });

  it('goes on to get requests for hosts of nobody under its new name', async () => {
    await bench.run('proxy:set', '--global', 'catch-all=blog');
    await bench.run('apps:rename', 'blog', 'journal');
    expect(bench.store.properties.get('global', 'edge-catch-all')).toBe('journal');
  });

  it('stops it with --skip-deploy, and starts nothing of an app that was stopped', async () => {
    await bench.run('apps:rename', '--skip-deploy', 'blog', 'journal');
    expect(app('journal')?.stopped).toBe(true);
    await bench.run('apps:rename', 'journal', 'diary');
    expect(app('diary')?.stopped).toBe(true);
    expect(verbs()).toEqual(['rename journal', 'rename diary']);
  });

  it('keeps the new name, and remembers what is left to do, when it does not start again', async () => {
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    bench.runtime.leaveGroup = () => new Promise(() => {});
    expect((await bench.run('apps:rename', 'blog', 'journal')).code).toBe(25);
    expect(app('journal')).toBeDefined();
    expect(unfinishedRenames(bench.store)).toMatchObject([{ app: { name: 'journal' }, from: 'blog' }]);
  });

  it.each([
    [['blog', 'taken'], 1],
    [['blog', 'blog'], 1],
    [['blog', '../x'], 1],
    [['blog'], 2],
    [['nobody', 'journal'], 20],
  ])('refuses %j, and changes nothing', async (words, status) => {
    await bench.run('apps:create', 'taken');
    expect((await bench.run('apps:rename', ...words)).code).toBe(status);
    expect(app('blog')).toBeDefined();
    expect(bench.moved).toEqual([]);
  });

  it('refuses a name whose default domain another app has', async () => {
    await bench.run('apps:create', 'other');
    await bench.run('domains:add', 'other', 'journal.example.org');
    const { code, stderr } = await bench.run('apps:rename', 'blog', 'journal');
    expect(code).toBe(22);
    expect(stderr).toContain('journal.example.org is already used by app other');
    expect(app('blog')).toBeDefined();
    expect(bench.moved).toEqual([]);
  });
});

function never(): never {
  throw new Error('there is no app');
}
