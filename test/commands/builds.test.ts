import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeExplanation } from '../../src/build/explain/explanation.ts';
import { type ProcessType, parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

const blog = () => bench.store.apps.get(parseAppName('blog'));
const json = async (...words: string[]) => JSON.parse((await bench.run(...words, '--format', 'json')).stdout);

describe('builds', () => {
  it('are listed, shown and reported after a config change', async () => {
    await bench.deployed('blog');
    expect((await bench.run('config:set', 'blog', 'KEY=topsecret')).code).toBe(0);
    expect(await json('builds:list', 'blog')).toMatchObject([
      { build: 1, kind: 'deploy', status: 'succeeded', release: 2, actor: 'local', reason: null },
    ]);
    expect((await bench.run('builds:list', 'blog')).stdout).toMatch(
      /=====> blog builds\nbuild .*\n1 +deploy +succeeded +v2/,
    );
    expect((await bench.run('builds:info', 'blog')).stdout).toMatch(/Status: +succeeded/);
    expect((await bench.run('builds:report', 'blog', '--builds-last-status')).stdout).toBe('succeeded\n');
  });

  it('show what they printed, without secrets', async () => {
    await bench.deployed('blog');
    bench.runtime.says.during = async progress => progress?.raw('connecting with topsecret');
    await bench.run('config:set', 'blog', 'KEY=topsecret');
    const shown = await bench.run('builds:output', 'blog', 'current');
    expect(shown.stdout).toContain('connecting with [masked]\n');
    expect(shown.stdout).not.toContain('topsecret');
    expect((await bench.run('builds:output', 'blog', '9')).stderr).toContain(
      'Build 9 of app blog does not exist. See "builds:list blog".',
    );
    expect((await bench.run('builds:output', 'blog', '../1')).code).not.toBe(0);
  });

  it('are explained by what changed and by what became of layers', async () => {
    await bench.deployed('blog');
    expect(await bench.run('builds:explain', 'blog')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Nothing is kept of a build of app blog. Push it first.'),
    });
    const change = { kind: 'file', name: 'package-lock.json', how: 'changed', counts: true } as const;
    writeExplanation(bench.paths.builds, 'blog', {
      schema: 1,
      builder: 'buildpacks',
      commit: '12345678'.repeat(5),
      at: '2026-01-02T03:04:05.000Z',
      cause: 'changed',
      changes: [change],
      parts: [{ kind: 'config', name: 'FOO', print: 'fingerprint', counts: true }],
      layers: [{ layer: 'wherry/nodejs:deps', fate: 'rebuilt', by: 'wherry/nodejs', why: 'it wrote to it' }],
    });
    const { stdout } = await bench.run('builds:explain', 'blog');
    expect(stdout).toContain('This build runs because: package-lock.json changed\n');
    expect(stdout).toMatch(/rebuilt +wherry\/nodejs:deps +by wherry\/nodejs: it wrote to it/);
    expect(await json('builds:explain', 'blog')).toMatchObject({ cause: 'changed', changes: [change] });
    expect((await bench.run('builds:explain', 'blog', '--format', 'json')).stdout).not.toContain(
      'fingerprint',
    );
  });

  it('that a rebuild asks for are explained only where it says so', async () => {
    await bench.deployed('blog');
    bench.store.apps.setDeployBranch(blog(), 'main');
    bench.heads.set('blog', '1'.repeat(40));
    expect((await bench.run('ps:rebuild', 'blog')).code).toBe(0);
    expect((await bench.run('ps:rebuild', 'blog', '--explain')).code).toBe(0);
    expect(bench.asked.map(({ fresh, explain }) => ({ fresh, explain }))).toEqual([
      { fresh: true, explain: false },
      { fresh: true, explain: true },
    ]);
  });

  it('are canceled while another command waits for them', async () => {
    await bench.deployed('blog');
    expect((await bench.run('builds:cancel', 'blog')).stderr).toContain('No build of app blog is running.');
    let begun = () => {};
    const running = new Promise<void>(resolve => {
      begun = resolve;
    });
    bench.runtime.says.during = async () => {
      begun();
      await new Promise(resolve => setTimeout(resolve, 50));
      throw new Error('aborted');
    };
    const set = bench.run('config:set', 'blog', 'KEY=value');
    await running;
    const canceled = await bench.run('builds:cancel', 'blog');
    expect(canceled).toMatchObject({ code: 0, stdout: 'Build 1 is canceled\n' });
    expect((await set).code).toBe(130);
    expect(bench.store.builds.get(blog(), 1).reason).toBe(
      'Build 1 of blog was canceled by local. What ran before runs on.',
    );
    expect(bench.store.releases.live(blog())?.version).toBe(1);
  });

  it('are pruned down to those that are to be kept', async () => {
    await bench.deployed('blog');
    for (const value of ['one', 'two', 'three']) await bench.run('config:set', 'blog', `KEY=${value}`);
    expect((await bench.run('builds:prune', 'blog', '--keep', '2')).stdout).toBe('Deleted 1 build\n');
    expect((await bench.run('builds:prune', 'blog', '--keep', '0')).code).not.toBe(0);
    expect((await json('builds:list', 'blog')).map(({ build }: { build: number }) => build)).toEqual([3, 2]);
  });
});

describe('builds:set', () => {
  const versions = () => bench.store.releases.list(blog()).map(({ version }) => version);
  const change = (value: string) => bench.run('config:set', 'blog', `KEY=${value}`);

  it('bounds the releases of an app, of all apps, or as usual', async () => {
    await bench.deployed('blog');
    expect((await bench.run('builds:set', '--global', 'keep-releases', '3')).stdout).toBe(
      '=====> Setting keep-releases to 3\n',
    );
    for (const value of ['a', 'b', 'c', 'd']) await change(value);
    expect(versions()).toEqual([5, 4, 3]);
    await bench.run('builds:set', 'blog', 'keep-releases', '2');
    await change('e');
    expect(versions()).toEqual([6, 5]);
    expect(await json('builds:report', 'blog')).toMatchObject({
      'keep-releases': '2',
      'computed-keep-releases': '2',
      'global-keep-releases': '3',
      'computed-retention': '20',
    });
    await bench.run('builds:set', 'blog', 'keep-releases');
    await bench.run('builds:set', 'keep-releases', '--global');
    expect(await json('builds:report', 'blog')).toMatchObject({ 'computed-keep-releases': '10' });
  });

  it('never takes a release that still runs, and a rollback says what is gone', async () => {
    await bench.deployed('blog');
    await bench.run('builds:set', 'blog', 'keep-releases', '1');
    bench.runtime.says.instances = [
      {
        ...{
          id: 'a',
          type: 'web' as ProcessType,
          index: 1,
          version: 1,
          status: 'stopped',
          since: new Date(),
        },
        ...{ restarts: 0, memoryLimit: 1, promised: 1 },
      },
    ];
    for (const value of ['a', 'b']) await change(value);
    expect(versions()).toEqual([3, 1]);
    bench.runtime.says.instances = [];
    await change('c');
    expect(versions()).toEqual([4]);
    const refused = await bench.run('rollback', 'blog', 'v1');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('Release v1 of app blog is not kept any more. Push its commit again');
  });

  it('bounds the builds that are remembered', async () => {
    await bench.deployed('blog');
    await bench.run('builds:set', 'blog', 'retention', '2');
    for (const value of ['a', 'b', 'c']) await change(value);
    expect((await json('builds:list', 'blog')).map(({ build }: { build: number }) => build)).toEqual([3, 2]);
  });

  it('holds the builds of an app to its own limits, else to those of all, else to the usual', async () => {
    await bench.deployed('blog');
    expect((await bench.run('builds:set', 'blog', 'memory', '1.5g')).stdout).toBe(
      '=====> Setting memory to 1536m\n',
    );
    await bench.run('builds:set', '--global', 'memory', '1g');
    await bench.run('builds:set', '--global', 'network', 'registries');
    expect(await json('builds:report', 'blog')).toMatchObject({
      memory: '1536m',
      'global-memory': '1g',
      'computed-memory': '1536m',
      'computed-network': 'registries',
      'computed-timeout': '25m',
    });
    await bench.run('builds:set', 'blog', 'memory');
    expect(await json('builds:report', 'blog')).toMatchObject({ memory: '', 'computed-memory': '1g' });
  });

  it.each([
    ['keep-releases', '0'],
    ['keep-releases', '101'],
    ['retention', 'all'],
    ['colour', '3'],
    ['memory', 'lots'],
    ['memory', '3m'],
    ['memory', '5t'],
    ['cpu', '0'],
    ['cpu', '101%'],
    ['cpu', '12.5'],
    ['timeout', '9s'],
    ['timeout', '25h'],
    ['timeout', 'soon'],
    ['silence', '0'],
    ['silence', '1h30m'],
    ['disk', '15m'],
    ['disk', '5t'],
    ['processes', '15'],
    ['processes', '32769'],
    ['processes', '1e3'],
    ['network', 'host'],
    ['network', 'ALL'],
  ])('refuses %s %s', async (property, value) => {
    await bench.deployed('blog');
    expect((await bench.run('builds:set', 'blog', property, value)).code).toBe(1);
    expect((await json('builds:report', 'blog'))[property] ?? '').toBe('');
  });

  it('wants an app that there is, and only it takes --global', async () => {
    expect((await bench.run('builds:set', 'nope', 'retention', '2')).code).toBe(20);
    expect((await bench.run('builds:list', '--global')).stderr).toContain('is not known to builds:list');
  });
});

describe('builder', () => {
  it('takes a folder of the repository and a builder that there is', async () => {
    await bench.run('apps:create', 'blog');
    expect((await bench.run('builder:set', 'blog', 'build-dir', './apps/web/')).code).toBe(0);
    expect((await bench.run('builder:set', 'blog', 'selected', 'herokuish')).code).toBe(0);
    expect(await json('builder:report', 'blog')).toMatchObject({
      'build-dir': 'apps/web',
      selected: 'buildpacks',
    });
    await bench.run('builder:set', 'blog', 'build-dir');
    expect((await bench.run('builder:report', 'blog', '--builder-build-dir')).stdout.trim()).toBe('');
  });

  it.each([
    ['build-dir', '../other'],
    ['build-dir', '/etc'],
    ['selected', 'nixpacks'],
    ['colour', 'red'],
  ])('refuses %s %s', async (property, value) => {
    await bench.run('apps:create', 'blog');
    expect((await bench.run('builder:set', 'blog', property, value)).code).toBe(1);
    expect(bench.store.properties.get(`app:${blog().id}`, `builder-${property}`)).toBeUndefined();
  });
});

describe('disk:report', () => {
  it('counts what lies there as du does', async () => {
    await bench.deployed('blog');
    const log = join(bench.paths.logs, 'blog');
    mkdirSync(log, { recursive: true });
    writeFileSync(join(log, 'a.log'), Buffer.alloc(100_000, 1));
    const found = await json('disk:report', 'blog');
    expect(found.apps.blog.logs).toBeGreaterThanOrEqual(100_000);
    expect(found.apps.blog.logs).toBeLessThan(120_000);
    expect(found.apps.blog).toMatchObject({ layers: 0, repository: 0 });
    expect(found.apps.blog.total).toBe(found.apps.blog.logs + found.apps.blog.builds);
    expect((await bench.run('disk:report')).stdout).toMatch(/^blog +\d+(\.\d)?k/m);
  });
});

describe('disk:set', () => {
  it('bounds the disk for all apps', async () => {
    expect((await bench.run('disk:set', '--global', 'budget', '20g')).stdout).toBe(
      '=====> Setting budget to 20g\n',
    );
    expect(await json('disk:report')).toMatchObject({ budget: '20g', reserve: '512m' });
    await bench.run('disk:set', '--global', 'budget');
    const shown = (await bench.run('disk:report')).stdout;
    expect(shown).toMatch(/=====> Host\nfree +\d.*\nbudget +90%\nreserve +512m\n/);
  });

  it.each([
    ['--global', 'budget', '5%'],
    ['--global', 'reserve', '80%'],
    ['--global', 'colour', 'red'],
    ['blog', 'budget', '80%'],
  ])('refuses %s %s %s', async (...words) => {
    expect((await bench.run('disk:set', ...words)).code).toBe(1);
    expect(await json('disk:report')).toMatchObject({ budget: '90%', reserve: '512m' });
  });
});

describe('repo:purge-cache', () => {
  it('forgets what builds kept', async () => {
    await bench.deployed('blog');
    expect((await bench.run('repo:purge-cache', 'blog')).stdout).toBe('Deleted the build cache of blog\n');
    expect(bench.forgotten).toEqual(['blog']);
    expect((await bench.run('repo:purge-cache', 'nope')).code).toBe(20);
  });
});
