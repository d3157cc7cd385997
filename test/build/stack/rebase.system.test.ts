import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createStack } from '../../../src/build/stack/stack.ts';
import type { DiffId } from '../../../src/domain/image.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import type { Progress } from '../../../src/domain/push.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { exec } from '../../../src/system/exec.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { type BuildBench, fetchSoon, fixtures, openBench } from '../support/bench.ts';

const progress: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };

/** A cache of its own with what the host's has, so that a newer stack is nobody else's; beside it, for its layers to be links to files. */
async function ownCache(): Promise<string> {
  const { cache } = createPaths({ data: tmpdir() });
  const dir = mkdtempSync(`${cache}-test-`);
  chmodSync(dir, 0o755);
  for (const part of ['stacks', 'runtimes'])
    cpSync(join(cache, part), join(dir, part), { recursive: true, filter: path => !path.endsWith('/users') });
  mkdirSync(join(dir, 'layers'));
  const layers = readdirSync(join(cache, 'layers')).filter(each => each.startsWith('sha256-'));
  await exec('cp', [
    '--archive',
    '--link',
    ...layers.map(name => join(cache, 'layers', name)),
    join(dir, 'layers'),
  ]);
  return dir;
}

describe('a security rebuild with mmdebstrap', () => {
  let cache: string;
  let bench: BuildBench;
  beforeAll(async () => {
    const warm = await openBench();
    await warm.builder.prepare(progress);
    await warm.close();
    cache = await ownCache();
    vi.stubEnv('WHERRY_CACHE', cache);
    bench = await openBench();
  });
  afterAll(async () => {
    await bench?.close();
    vi.unstubAllEnvs();
    if (cache) rmSync(cache, { recursive: true, force: true });
  });

  it('E10 puts an app and its Debian packages on the newer run image without a container, and it runs', async () => {
    const stack = createStack({ paths: bench.paths, layers: bench.layers, clock });
    const { image } = await bench.build(join(fixtures, 'static-site'));
    const before = await stack.generation({ progress });
    const { generation, changed, made } = await stack.rebuild(
      'wherry-12',
      { packages: ['hello'] },
      { progress },
    );
    expect([made, generation.number]).toEqual([true, before.number + 1]);
    expect(changed).toContain('hello');
    const opened = bench.sandboxes.length;
    const request = { app: parseAppName('app'), progress, signal: new AbortController().signal };
    const rebased = await bench.builder.rebase({ ...request, image });
    expect(bench.sandboxes.length).toBe(opened);
    expect(rebased.layers.slice(0, 1)).toEqual(generation.run);
    const own = (layers: readonly string[]) =>
      layers.filter(id => bench.layers.info(id as never).origin !== 'stack');
    // lighttpd's files are the same on both; had they changed, they would differ here.
    expect(own(rebased.layers)).toEqual(own(image.layers));
    await bench.run(rebased, 'web', async base => {
      expect(await (await fetchSoon(base)).text()).toContain('Hello from a static site');
    });
    const status = readFileSync(
      join(bench.layers.layerPath(rebased.layers[0] ?? 'sha256:'), 'var/lib/dpkg/status'),
      'utf8',
    );
    expect(status).toContain('Package: hello');
    expect(await bench.builder.rebase({ ...request, image: rebased })).toEqual(rebased);
    // A build of the same tree on the new stack is the very same image.
    const built = await bench.build(join(fixtures, 'static-site'));
    expect(built.image).toEqual(rebased);
    // And the old one still runs, as a rollback makes it.
    await bench.run(image, 'web', async base => {
      expect((await fetchSoon(base)).status).toBe(200);
    });
  });
});

describe('two apps on one runtime', () => {
  const express = join(fixtures, 'express');
  const du = async (...dirs: string[]) => {
    const { stdout } = await exec('du', ['--summarize', '--total', '--block-size=1', ...dirs]);
    return Number.parseInt(stdout.trimEnd().split('\n').at(-1) ?? '', 10);
  };

  it('share it on disk: the image of the second takes less than 1 MB more, as du counts', async () => {
    const bench = await openBench();
    try {
      const { image } = await bench.build(express, { app: parseAppName('one') });
      const kept = await du(bench.paths.layers);
      const second = await bench.build(express, {
        app: parseAppName('two'),
        change: dir => cpSync(join(dir, 'server.js'), join(dir, 'other.js')),
      });
      expect(second.image.id).not.toBe(image.id);
      const of = async (ids: readonly DiffId[]) => await du(...ids.map(bench.layers.layerPath));
      const both = await of([...new Set([...image.layers, ...second.image.layers])]);
      const [alone, more] = [await of(image.layers), (await du(bench.paths.layers)) - kept];
      expect(alone).toBeGreaterThan(100 * 2 ** 20);
      expect(both - alone).toBeLessThan(2 ** 20);
      // Each app keeps its package manager's downloads for its own next build: 7 MB here, no part of any image.
      expect(more).toBeLessThan(10 * 2 ** 20);
    } finally {
      await bench.close();
    }
  });

  it('E9 have equal image ids in two data directories when their inputs are equal', async () => {
    const [here, there] = [await openBench(), await openBench()];
    try {
      const [one, two] = [
        await here.build(express),
        await there.build(express, { app: parseAppName('other') }),
      ];
      expect(two.sandboxes).toBeGreaterThan(0);
      expect(two.image).toEqual(one.image);
    } finally {
      await here.close();
      await there.close();
    }
  });
});
