import { beforeEach, describe, expect, it } from 'vitest';
import { identified } from '../../src/build/image-id.ts';
import { baseLabels } from '../../src/build/rebase-labels.ts';
import type { App } from '../../src/domain/app.ts';
import type { Progress } from '../../src/domain/push.ts';
import { type Bench, createBench, image } from './support.ts';

const progress: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };

/** Exit status of what cannot be done as things are. */
const conflict = 22;

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

const json = async (...words: string[]) => JSON.parse((await bench.run(...words, '--format', 'json')).stdout);

/** An app whose live release lies on the newest generation of the stack. */
async function deployedOn(name: string, base?: string): Promise<App> {
  const app = await bench.deployed(name);
  const found = await bench.stacks.generation({ progress, base });
  const { id: _, ...content } = image('1');
  const made = identified({
    ...content,
    layers: [...found.run, `sha256:${'e'.repeat(64)}`],
    env: { ...found.env },
    labels: baseLabels(found, []),
  });
  bench.store.images.put(made);
  const release = bench.store.releases.create(app, {
    ...{ image: made.id, config: bench.store.config.merged(app), description: 'Deploy' },
    ...{ actor: 'ann', commit: null, at: new Date() },
  });
  bench.store.releases.promote(release);
  return app;
}

/** A newer package is in the mirror, and the stack is made anew. */
async function securityRebuild(stack = 'wherry-12'): Promise<void> {
  bench.mirror.versions['curl'] = '2';
  const { code, stderr } = await bench.run('stacks:build', stack);
  expect(code, stderr).toBe(0);
}

describe('stacks:list', () => {
  it('shows every generation, which is the newest, and the apps on each', async () => {
    await deployedOn('blog');
    await securityRebuild();
    expect(await json('stacks:list')).toMatchObject([
      { stack: 'wherry-12', generation: 1, newest: false, default: true, apps: ['blog'] },
      { stack: 'wherry-12', generation: 2, newest: true, distro: 'debian 12', apps: [] },
    ]);
    expect((await bench.run('stacks:list')).stdout).toMatch(/wherry-12 \(default\) +2 \(newest\) +debian 12/);
  });
});

describe('stacks:use', () => {
  it('sets the stack of an app and that of all apps, and unsets them', async () => {
    await bench.run('apps:create', 'blog');
    await bench.run('stacks:build', 'debian-13', '--suite', 'trixie');
    await bench.run('stacks:build', 'other');
    await bench.run('stacks:use', 'blog', 'debian-13');
    await bench.run('stacks:use', '--global', 'other');
    expect(await json('stacks:report', 'blog')).toMatchObject({
      ...{ stack: 'debian-13', 'computed-stack': 'debian-13', 'global-stack': 'other' },
    });
    await bench.run('stacks:use', 'blog');
    expect(await json('stacks:report', 'blog')).toMatchObject({ stack: '', 'computed-stack': 'other' });
    await bench.run('stacks:use', '--global');
    expect(await json('stacks:report', 'blog')).toMatchObject({ 'computed-stack': 'wherry-12' });
  });

  it('refuses a stack that there is not, with how to make it', async () => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('stacks:use', 'blog', 'debian-13');
    expect([code, stderr]).toEqual([1, expect.stringContaining('There is no stack debian-13 on this host.')]);
    expect(stderr).toContain('stacks:build debian-13');
    expect((await bench.run('stacks:use', 'blog', '../etc')).stderr).toContain('is not made of lower case');
  });
});

describe('stacks:set', () => {
  it('sets the time of rebases for all apps, and unsets it with none', async () => {
    await bench.run('apps:create', 'blog');
    const time = async () => (await json('stacks:report', 'blog'))['global-rebase-at'];
    expect((await bench.run('stacks:set', '--global', 'rebase-at', '03:30')).code).toBe(0);
    expect(await time()).toBe('03:30');
    expect((await bench.run('stacks:set', '--global', 'rebase-at', 'none')).code).toBe(0);
    expect(await time()).toBe('none');
  });

  it('refuses what is no time, and one app', async () => {
    await bench.run('apps:create', 'blog');
    expect((await bench.run('stacks:set', '--global', 'rebase-at', '25:00')).code).toBe(1);
    expect((await bench.run('stacks:set', 'blog', 'rebase-at', '03:30')).stderr).toContain('--global');
  });
});

describe('stacks:remove', () => {
  it('deletes a stack that no app uses', async () => {
    await bench.run('stacks:build', 'debian-13', '--suite', 'trixie');
    expect((await bench.run('stacks:remove', 'debian-13')).stdout).toContain('Deleted stack debian-13');
    expect(await json('stacks:list')).toEqual([]);
  });

  it('keeps one that an app or all are set to use, and the one of this version', async () => {
    await bench.run('apps:create', 'blog');
    await bench.run('stacks:build', 'debian-13', '--suite', 'trixie');
    await bench.run('stacks:use', 'blog', 'debian-13');
    expect((await bench.run('stacks:remove', 'debian-13')).stderr).toContain('App blog is set to use');
    await bench.run('stacks:use', 'blog');
    await bench.run('stacks:use', '--global', 'debian-13');
    expect((await bench.run('stacks:remove', 'debian-13')).stderr).toContain('Apps are set to use stack');
    await bench.run('stacks:use', '--global');
    await bench.run('stacks:build');
    expect((await bench.run('stacks:remove', 'wherry-12')).stderr).toContain('is always kept');
    expect((await bench.run('stacks:remove', 'nope')).stderr).toContain('There is no stack nope');
    expect(await json('stacks:list')).toHaveLength(2);
  });
});

describe('ps:rebase', () => {
  it('puts an app on the newest generation as a release, and says when it is there', async () => {
    const app = await deployedOn('blog');
    const before = bench.store.releases.live(app);
    expect((await bench.run('ps:rebase', 'blog')).stdout).toContain('is on the newest stack already');
    await securityRebuild();
    expect(await json('stacks:report', 'blog')).toMatchObject({
      ...{ rebasable: 'true', 'rebase-needed': 'true' },
      ...{ 'release-generation': '1', 'newest-generation': '2' },
    });
    const done = await bench.run('ps:rebase', 'blog');
    expect([done.code, done.stdout]).toEqual([
      0,
      expect.stringContaining(`as v${(before?.version ?? 0) + 1}`),
    ]);
    expect(await json('stacks:report', 'blog')).toMatchObject({
      ...{ 'rebase-needed': 'false', 'release-generation': '2' },
    });
  });

  it('refuses an app whose image is on no stack, and with --all still rebases the others', async () => {
    await bench.deployed('boat');
    await deployedOn('blog');
    await securityRebuild();
    const { code, stderr } = await bench.run('ps:rebase', 'boat');
    expect([code, stderr]).toEqual([conflict, expect.stringContaining('not made on a stack')]);
    expect(stderr).toContain('ps:rebuild boat');
    const all = await bench.run('ps:rebase', '--all');
    expect([all.code, all.stdout]).toEqual([1, expect.stringMatching(/blog +is on the newest stack as v/)]);
    expect((await bench.run('ps:rebase')).stderr).toContain('Name one app, or say --all.');
  });

  it('refuses an app that is set to use another stack, until it is built there', async () => {
    await deployedOn('blog');
    await bench.run('stacks:build', 'debian-13', '--suite', 'trixie');
    await bench.run('stacks:use', 'blog', 'debian-13');
    const { code, stderr } = await bench.run('ps:rebase', 'blog');
    expect([code, stderr]).toEqual([conflict, expect.stringContaining('is set to use debian-13')]);
    expect(await json('stacks:report', 'blog')).toMatchObject({ rebasable: 'false' });
  });
});
