import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLayerStore } from '../../../src/build/index.ts';
import { createStack, type Stack } from '../../../src/build/stack/stack.ts';
import type { Progress } from '../../../src/domain/push.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { fakeMirror } from './support/fake-mirror.ts';

const progress: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
const context = { progress };
const hour = 3_600_000;

let dir: string;
let now: number;
let mirror: ReturnType<typeof fakeMirror>;
let stack: Stack;
let layers: ReturnType<typeof createLayerStore>;

const open = (data: string) => {
  const paths = createPaths({ data: join(dir, data), cache: join(dir, 'cache') });
  mkdirSync(paths.data, { recursive: true });
  layers = createLayerStore(paths);
  const clock = { ...systemClock, now: () => new Date(now) };
  return createStack({ paths, layers, clock, makers: mirror.makers });
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-stack-'));
  now = Date.parse('2026-11-24T03:00:00Z');
  mirror = fakeMirror(dir);
  stack = open('data');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('a stack', () => {
  it('is made once by whoever asks first, and found by other data directories of the host', async () => {
    const [first, second] = await Promise.all([stack.generation(context), stack.generation(context)]);
    expect(first).toMatchObject({
      stack: 'wherry-12',
      number: 1,
      id: 'wherry-12',
      distro: { name: 'debian', version: '12' },
      packages: { run: { curl: '1' }, build: { curl: '1', file: '1' } },
    });
    expect(second).toEqual(first);
    expect(first.build.slice(0, 1)).toEqual(first.run);
    const made = [...mirror.made];
    expect(await open('other').generation(context)).toEqual(first);
    expect(mirror.made).toEqual(made);
  });

  it('that nobody made is refused, naming how to', async () => {
    await expect(stack.run({ ...context, base: 'debian-13' })).rejects.toMatchObject({
      code: 'not-found',
      hint: 'stacks:build debian-13',
    });
  });

  it('has the same layers again, and no new generation, when no package is newer', async () => {
    const before = await stack.generation(context);
    const rebuilt = await stack.rebuild('wherry-12', {}, context);
    expect(rebuilt).toEqual({ generation: before, changed: [], made: false });
    expect(mirror.made.filter(line => line.startsWith('base'))).toHaveLength(2);
    expect(stack.list()).toEqual([before]);
    expect(before.build.every(layers.has)).toBe(true);
  });

  it('gets a new generation beside the old one when a package of the run or the build image is newer', async () => {
    const before = await stack.generation(context);
    const held = await stack.pin(context);
    mirror.versions['curl'] = '1+deb12u1';
    const { generation, changed, made } = await stack.rebuild('wherry-12', {}, context);
    expect([made, generation.number, changed]).toEqual([true, 2, ['curl']]);
    expect(generation.run).not.toEqual(before.run);
    expect(await stack.run(context)).toEqual(generation.run);
    // What began before it goes on with what it began with.
    expect(await stack.run({ ...context, base: held })).toEqual(before.run);
    mirror.versions['file'] = '2';
    const third = await stack.rebuild('wherry-12', {}, context);
    expect(third).toMatchObject({
      made: true,
      changed: ['file'],
      generation: { number: 3, run: generation.run },
    });
  });

  it('of another suite or with more packages is one of another name, and stays what it is', async () => {
    const { generation } = await stack.rebuild(
      'imaging',
      { packages: ['libvips42'], suite: 'trixie' },
      context,
    );
    expect(generation).toMatchObject({ number: 1, id: 'imaging', distro: { version: '13' } });
    expect(generation.packages.run).toEqual({ curl: '1', libvips42: '1' });
    mirror.versions['curl'] = '2';
    const next = await stack.rebuild('imaging', {}, context);
    expect(next.generation).toMatchObject({ number: 2, spec: { suite: 'trixie', packages: ['libvips42'] } });
    await expect(stack.rebuild('imaging', { suite: 'bookworm' }, context)).rejects.toThrow(
      'Stack imaging is of Debian trixie, and apps on it count on that. Give bookworm another name.',
    );
    await expect(stack.rebuild('../x', {}, context)).rejects.toThrow('Stack name "../x" is not made of');
  });

  it('makes packages on top of it anew when only they are newer, and tells that images with them are behind', async () => {
    const [run] = [await stack.run(context)];
    const old = await stack.extra(['lighttpd'], context);
    const base = {
      stack: 'wherry-12',
      id: 'wherry-12',
      distro: { name: 'debian', version: '12' },
      run,
      packages: { [old]: ['lighttpd'] },
    };
    await stack.collect([...run, old]);
    expect(stack.isBehind(base)).toBe(false);
    mirror.versions['lighttpd'] = '2';
    expect(await stack.extra(['lighttpd'], context)).toBe(old);
    expect(await stack.rebuild('wherry-12', {}, context)).toMatchObject({
      made: false,
      changed: ['lighttpd'],
    });
    const renewed = await stack.extra(['lighttpd'], context);
    expect(renewed).not.toBe(old);
    expect(stack.isBehind(base)).toBe(true);
    await stack.collect([...run, renewed]);
    expect(layers.has(old)).toBe(false);
    expect(layers.has(renewed)).toBe(true);
  });
});

describe('generations that are not the newest', () => {
  const twice = async () => {
    const before = await stack.generation(context);
    const extra = await stack.extra(['lighttpd'], context);
    mirror.versions['curl'] = '2';
    const { generation } = await stack.rebuild('wherry-12', {}, context);
    return { before, extra, after: generation };
  };

  it('go once no release on the host is on them, with what was made on top, and an hour has passed', async () => {
    const { before, extra, after } = await twice();
    await stack.collect([...before.run, extra]);
    now += 2 * hour;
    await stack.collect([...before.run, extra]);
    expect(stack.list()).toHaveLength(2);
    await stack.collect(after.run);
    expect(stack.list()).toEqual([after]);
    expect([...before.run, ...before.build, extra].filter(layers.has)).toEqual([]);
    expect([...after.run, ...after.build].every(layers.has)).toBe(true);
  });

  it('stay for a build that may have begun on them', async () => {
    const { before, after } = await twice();
    now += hour / 2;
    await stack.collect(after.run);
    expect(before.run.every(layers.has)).toBe(true);
    expect(stack.list()).toHaveLength(2);
  });

  it('stay while releases of another data directory are on them, and not for one that was deleted', async () => {
    const { before, after } = await twice();
    await open('other').collect(before.run);
    now += 2 * hour;
    await stack.collect(after.run);
    expect(before.run.every(layers.has)).toBe(true);
    rmSync(join(dir, 'other'), { recursive: true });
    await stack.collect(after.run);
    expect(before.run.some(layers.has)).toBe(false);
  });

  it('can be made again after the newest lost a layer', async () => {
    const before = await stack.generation(context);
    rmSync(join(dir, 'cache/layers', before.run.join().replace(':', '-')), { recursive: true });
    const again = await stack.generation(context);
    expect(again.run).toEqual(before.run);
    expect(existsSync(layers.layerPath(again.run[0] ?? 'sha256:'))).toBe(true);
  });
});

describe('deleting a stack', () => {
  it('is refused while a release is on it, and for the one of this version', async () => {
    const { generation } = await stack.rebuild('imaging', { packages: ['libvips42'] }, context);
    await stack.collect(generation.run);
    await expect(stack.remove('imaging')).rejects.toThrow('Stack imaging is in use by releases of apps');
    await stack.collect([]);
    const usual = await stack.generation(context);
    await stack.remove('imaging');
    expect(stack.list()).toEqual([usual]);
    expect(generation.run.some(layers.has)).toBe(false);
    await expect(stack.remove('wherry-12')).rejects.toThrow('is the one of this version of Wherry');
    await expect(stack.remove('imaging')).rejects.toThrow('There is no stack imaging');
  });
});
