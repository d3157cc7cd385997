import { beforeEach, describe, expect, it } from 'vitest';
import { builtBy } from '../../src/build/built-by.ts';
import type { Image } from '../../src/domain/image.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

const json = async (...words: string[]) => JSON.parse((await bench.run(...words, '--format', 'json')).stdout);
const labels = {
  dockerfile: { 'io.wherry.builder': 'dockerfile' },
  native: { 'io.buildpacks.build.metadata': '{"buildpacks":[{"id":"wherry/nodejs","version":"1.0.0"}]}' },
  classic: { 'io.wherry.classic-buildpacks': '[{"text":"https://example.org/a.git","pin":"0"}]' },
};

describe('builder:set', () => {
  it.each([
    ['herokuish', 'buildpacks'],
    ['pack', 'buildpacks'],
    ['buildpacks', 'buildpacks'],
    ['dockerfile', 'dockerfile'],
  ])('takes %s as dokku users write it', async (given, selected) => {
    await bench.run('apps:create', 'blog');
    expect((await bench.run('builder:set', 'blog', 'selected', given)).stdout).toBe(
      `=====> Setting selected to ${selected}\n`,
    );
    expect(await json('builder:report', 'blog')).toMatchObject({ selected, 'computed-selected': selected });
  });

  it.each([
    ['nixpacks', 'Builder buildpacks knows the same languages'],
    ['railpack', 'Builder buildpacks knows the same languages'],
    ['lambda', 'Builder dockerfile can build'],
    ['null', 'A file named null in the repository'],
    ['constructor', 'is not here. Known are: '],
  ])('refuses %s, naming what can', async (given, instead) => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('builder:set', 'blog', 'selected', given);
    expect([code, stderr]).toEqual([1, expect.stringContaining(instead)]);
    expect(stderr).toContain('nown are: buildpacks, dockerfile, herokuish, pack.');
  });

  it('sets for all apps what none of their own stands before', async () => {
    for (const app of ['blog', 'shop']) await bench.run('apps:create', app);
    for (const app of bench.store.apps.list()) {
      bench.store.apps.setDeployBranch(app, 'main');
      bench.heads.set(app.name, '1'.repeat(40));
    }
    expect((await bench.run('builder:set', '--global', 'selected', 'dockerfile')).code).toBe(0);
    expect((await bench.run('builder:set', '--global', 'build-dir', 'app')).code).toBe(0);
    await bench.run('builder:set', 'shop', 'selected', 'pack');
    await bench.run('builder:set', 'shop', 'build-dir', 'web');
    expect(await json('builder:report', 'shop')).toEqual({
      ...{ selected: 'buildpacks', 'computed-selected': 'buildpacks', 'global-selected': 'dockerfile' },
      ...{ 'build-dir': 'web', 'computed-build-dir': 'web', 'global-build-dir': 'app' },
      ...{ detected: '', 'detected-buildpacks': '' },
    });
    expect(await json('buildpacks:detect', 'blog')).toEqual(['dockerfile', 'app']);
    expect(await json('buildpacks:detect', 'shop')).toEqual(['buildpacks', 'web']);
    await bench.run('builder:set', '--global', 'selected');
    expect(await json('builder:report', 'blog')).toMatchObject({ selected: '', 'computed-selected': '' });
  });
});

describe('builder:report', () => {
  it('shows what built the live release', async () => {
    const app = await bench.deployed('blog');
    const old = bench.store.images.get(bench.store.releases.live(app)?.image ?? 'sha256:');
    const image: Image = { ...old, id: `sha256:${'3'.repeat(64)}`, labels: labels.native };
    bench.store.images.put(image);
    const release = bench.store.releases.create(app, {
      ...{ description: 'Deploy', actor: 'ann', commit: null, at: new Date() },
      ...{ image: image.id, config: bench.store.config.merged(app) },
    });
    bench.store.releases.promote(release);
    expect((await bench.run('builder:report', 'blog')).stdout).toMatch(
      /Builder detected: +buildpacks\n +Builder detected buildpacks: +wherry\/nodejs@1\.0\.0\n/,
    );
    expect((await bench.run('builder:report', 'blog', '--builder-detected')).stdout).toBe('buildpacks\n');
  });

  it.each([
    [labels.dockerfile, { builder: 'dockerfile', buildpacks: [] }],
    [labels.native, { builder: 'buildpacks', buildpacks: ['wherry/nodejs@1.0.0'] }],
    [labels.classic, { builder: 'buildpacks', buildpacks: ['https://example.org/a.git'] }],
    [{}, { builder: 'image', buildpacks: [] }],
    [{ 'io.buildpacks.build.metadata': '{"buildpacks":7}' }, { builder: 'image', buildpacks: [] }],
    [{ 'io.wherry.classic-buildpacks': '= no JSON' }, { builder: 'image', buildpacks: [] }],
  ])('tells from labels %j', (given, told) => {
    expect(builtBy({ labels: given as Record<string, string> })).toEqual(told);
  });
});
