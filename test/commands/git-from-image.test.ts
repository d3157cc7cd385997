import { beforeEach, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
});
const deploy = async (...words: string[]) => await bench.run('git:from-image', 'blog', ...words);
const source = async () => (await bench.run('git:report', 'blog', '--git-source-image')).stdout.trim();

it('deploys the image of a registry, and git:report names it while it is live', async () => {
  expect((await deploy('team/boat:1.2', 'Ann', 'ann@example.org')).code).toBe(0);
  expect(bench.pulled).toEqual(['docker.io/team/boat:1.2']);
  expect(await source()).toBe('docker.io/team/boat:1.2');
  await bench.run('git:from-image', 'blog', 'boat');
  expect(await source()).toBe('docker.io/library/boat:latest');
  await bench.run('rollback', 'blog');
  expect(await source()).toBe('docker.io/team/boat:1.2');
});

it('says that nothing changed, and deploys again when it is forced or the config changed', async () => {
  await deploy('boat:1');
  const again = await deploy('boat:1');
  expect(again.code).toBe(0);
  expect(again.stderr + again.stdout).toContain('No changes detected: v1 is this image already');
  await deploy('--force', 'boat:1');
  await bench.run('config:set', '--no-restart', 'blog', 'A=1');
  await deploy('boat:1');
  expect(bench.runtime.told).toHaveLength(3);
});

it('gives way to the image of git:set for the next rebuild, and to commits when that is unset', async () => {
  const set = async (...words: string[]) => await bench.run('git:set', 'blog', 'source-image', ...words);
  await deploy('boat:1');
  await set('boat:2');
  expect(await source()).toBe('docker.io/library/boat:2');
  await bench.run('ps:rebuild', 'blog');
  expect(bench.pulled.at(-1)).toBe('docker.io/library/boat:2');
  await bench.run('ps:rebuild', 'blog');
  expect(bench.pulled.at(-1)).toBe('docker.io/library/boat:2');
  await set();
  expect(await source()).toBe('');
  expect((await bench.run('ps:rebuild', 'blog')).stderr).toContain('has no pushed commit to build');
  await bench.run('git:set', 'blog', 'deploy-branch', 'main');
  bench.heads.set('blog', '1'.repeat(40));
  await bench.run('ps:rebuild', 'blog');
  expect([bench.asked.length, bench.pulled.length]).toEqual([1, 3]);
  expect((await set('my boat')).stderr).toMatch(/is no name of an image/);
  expect((await bench.run('git:set', '--global', 'source-image', 'boat')).stderr).toContain(
    'cannot be specified globally',
  );
  expect(await source()).toBe('');
});

it.each([
  ['no image', [], /<image> is missing/],
  ['a name with blanks', ['my boat'], /is no name of an image/],
  ['a URL', ['https://example.org/boat'], /names no host of a registry/],
  ['an odd digest', ['boat@sha256:12'], /64 hex digits/],
])('refuses %s, and pulls nothing', async (_, words, message) => {
  const ran = await deploy(...words);
  expect(ran.code).not.toBe(0);
  expect(ran.stderr).toMatch(message);
  expect(bench.pulled).toEqual([]);
});
