import { describe, expect, it } from 'vitest';
import { identified } from '../../src/build/image-id.ts';
import { assembleImage } from '../../src/build/lifecycle/export-image.ts';
import { nothing } from '../../src/build/lifecycle/layer-launch.ts';
import { rebase } from '../../src/build/rebase.ts';
import { baseOf } from '../../src/build/rebase-labels.ts';
import type { Generation } from '../../src/build/stack/generation.ts';
import { stackEnv } from '../../src/build/stack/recipe.ts';
import type { Stack } from '../../src/build/stack/stack.ts';
import type { DiffId, Image } from '../../src/domain/image.ts';
import { parseAppName, parseProcessType } from '../../src/domain/names.ts';

const diffId = (digit: string): DiffId => `sha256:${digit.repeat(64)}`;
const generation = (number: number, fields: Partial<Generation> = {}): Generation => ({
  stack: 'wherry-12',
  number,
  madeAt: '2026-11-24T03:00:00.000Z',
  spec: { kind: 'debian', suite: 'bookworm', packages: [], recipe: 'r' },
  id: 'wherry-12',
  distro: { name: 'debian', version: '12' },
  env: stackEnv,
  run: [diffId(String(number))],
  build: [diffId(String(number)), diffId('b')],
  packages: { run: {}, build: {} },
  ...fields,
});

/** An app with Node, which sits on any stack, and Debian packages, which belong to one. */
const imageOn = (base: Generation, apt: DiffId): Image =>
  assembleImage({
    stack: base,
    runtimes: [
      { name: 'apt', layer: apt, packages: ['libvips42'], build: true, launch: true },
      { name: 'node', layer: diffId('c'), folder: 'layers/wherry_runtime/node', build: true, launch: true },
    ],
    buildpacks: [
      {
        id: 'x/y',
        version: '1',
        api: '0.10',
        layers: [
          {
            name: 'deps',
            flags: { build: false, launch: true, cache: false },
            metadata: {},
            diffId: diffId('d'),
            launch: nothing,
          },
        ],
        processes: [
          {
            type: parseProcessType('web'),
            command: ['node'],
            args: ['.'],
            direct: true,
            default: true,
            workingDir: '/workspace',
          } as never,
        ],
        labels: { mine: '1', 'io.buildpacks.base.distro.name': 'theirs' },
        slices: [],
      },
    ],
    app: [diffId('e')],
    launcher: diffId('f'),
    appJson: { parts: { formation: { web: { quantity: 2 } } }, warnings: [] },
  });

const [aptOld, aptNew] = [diffId('7'), diffId('8')];
const before = generation(1);
const fakeStack = (newest: Generation) =>
  ({
    pin: async () => `${newest.stack}@${newest.number}`,
    generation: async () => newest,
    extra: async () => (newest.run.join() === before.run.join() ? aptOld : aptNew),
    of: () => before,
  }) as unknown as Stack;
const run = async (image: Image, newest: Generation, more: { base?: string; force?: boolean } = {}) =>
  await rebase(
    {
      app: parseAppName('blog'),
      image,
      progress: { header() {}, step() {}, detail() {}, warn() {}, raw() {} },
      signal: new AbortController().signal,
      ...more,
    },
    fakeStack(newest),
  );

describe('a rebase', () => {
  it('E10 gives the image that a build of the same layers on the new run image would give', async () => {
    const after = generation(2, {
      run: [diffId('2'), diffId('3')],
      env: { ...stackEnv, LANG: 'C.UTF-8', PATH: '/opt/bin:/bin' },
    });
    const image = await run(imageOn(before, aptOld), after);
    expect(image).toEqual(imageOn(after, aptNew));
    expect(image.layers).toEqual([diffId('2'), diffId('3'), aptNew, ...['c', 'd', 'e', 'f'].map(diffId)]);
  });

  it('E10 says so in the labels: top layer, stack, packages; those of the buildpacks stay', async () => {
    const { labels } = await run(imageOn(before, aptOld), generation(2));
    expect(JSON.parse(labels['io.buildpacks.lifecycle.metadata'] ?? '').runImage).toEqual({
      topLayer: diffId('2'),
      reference: 'wherry-12',
    });
    expect(baseOf({ labels, layers: [diffId('2')] })).toEqual({
      stack: 'wherry-12',
      id: 'wherry-12',
      distro: { name: 'debian', version: '12' },
      run: [diffId('2')],
      packages: { [aptNew]: ['libvips42'] },
    });
    expect(labels).toMatchObject({ mine: '1', 'io.buildpacks.base.distro.name': 'theirs' });
  });

  it('gives the very same image where nothing is newer, and the first one on the way back', async () => {
    const first = imageOn(before, aptOld);
    expect(await run(first, before)).toEqual(first);
    const there = await run(first, generation(2));
    expect(there.id).not.toBe(first.id);
    expect(await run(there, before)).toEqual(first);
  });

  it("keeps what the app's own build set in the environment", async () => {
    const { id: _, ...content } = imageOn(before, aptOld);
    const classic = identified({ ...content, env: { ...stackEnv, HOME: '/app', STACK: 'heroku-24' } });
    const after = generation(2, { env: { ...stackEnv, LANG: 'C.UTF-8' } });
    expect((await run(classic, after)).env).toEqual({
      ...stackEnv,
      HOME: '/app',
      STACK: 'heroku-24',
      LANG: 'C.UTF-8',
    });
  });

  it('E10 is refused for an image that is not rebasable, naming the way out', async () => {
    const image = imageOn(before, aptOld);
    const without = { ...image, labels: { ...image.labels, 'io.buildpacks.rebasable': 'false' } };
    await expect(run(without, generation(2))).rejects.toMatchObject({
      code: 'conflict',
      hint: 'ps:rebuild blog',
    });
    const moved = { ...image, layers: image.layers.slice(1) };
    await expect(run(moved, generation(2))).rejects.toThrow('runs an image that is not made on a stack');
  });

  it('E10 is refused for another stack or distribution; the latter can be forced', async () => {
    const image = imageOn(before, aptOld);
    await expect(run(image, generation(2), { base: 'debian-13' })).rejects.toThrow(
      'App blog was built on stack wherry-12 and is set to use debian-13.',
    );
    await expect(run(image, generation(2, { id: 'other' }), { force: true })).rejects.toThrow(
      'Stack wherry-12 is now other',
    );
    const trixie = generation(2, { distro: { name: 'debian', version: '13' } });
    await expect(run(image, trixie)).rejects.toThrow('is now debian 13; app blog was built on debian 12');
    expect((await run(image, trixie, { force: true })).labels['io.buildpacks.base.distro.version']).toBe(
      '13',
    );
  });
});

describe('what an image says of its stack', () => {
  const rest = { id: 'a', distro: { name: 'debian', version: '12' } };

  it('is believed where it fits', () => {
    const info = { ...rest, stack: 'a', run: [diffId('1')], packages: { [diffId('2')]: ['curl', 'g++'] } };
    const labels = { 'io.buildpacks.rebasable': 'true', 'io.wherry.base': JSON.stringify(info) };
    expect(baseOf({ labels, layers: [diffId('1')] })).toEqual(info);
  });

  it.each([
    ['no JSON', 'x'],
    ['another form', '{"stack":"wherry-12"}'],
    [
      'a package name that apt would read as an option',
      JSON.stringify({ ...rest, stack: 'a', run: [diffId('1')], packages: { [diffId('2')]: ['-o=x'] } }),
    ],
    [
      'a package to remove',
      JSON.stringify({ ...rest, stack: 'a', run: [diffId('1')], packages: { [diffId('2')]: ['curl-'] } }),
    ],
    [
      'a stack name that is a path',
      JSON.stringify({ ...rest, stack: '../a', run: [diffId('1')], packages: {} }),
    ],
    ['a layer that is a path', JSON.stringify({ ...rest, stack: 'a', run: ['sha256:../..'], packages: {} })],
  ])('is not believed with %s', (_what, text) => {
    const labels = { 'io.buildpacks.rebasable': 'true', 'io.wherry.base': text };
    expect(baseOf({ labels, layers: [diffId('1')] })).toBeUndefined();
  });
});
