import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../../src/build/builder.ts';
import { beginExplanation, endExplanation } from '../../../src/build/explain/explain.ts';
import { readExplanation, writeExplanation } from '../../../src/build/explain/explanation.ts';
import { compareParts, type Part } from '../../../src/build/explain/part.ts';
import { classicParts, dockerfileParts, nativeParts } from '../../../src/build/explain/parts.ts';
import { wordsOf } from '../../../src/build/explain/words.ts';
import type { Fetched } from '../../../src/build/fetch/fetcher.ts';
import type { Run } from '../../../src/build/lifecycle/run.ts';
import type { Generation } from '../../../src/build/stack/generation.ts';
import { parseBuildpackSource } from '../../../src/domain/buildpack-source.ts';
import { parseAppName } from '../../../src/domain/names.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { aBuildpack } from '../lifecycle/support/a-buildpack.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-explain-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const generation: Generation = {
  stack: 'wherry-12',
  number: 1,
  madeAt: '2026-01-01T00:00:00.000Z',
  spec: { kind: 'image', run: 'a', build: 'b' },
  id: 'wherry-12',
  distro: { name: 'debian', version: '12' },
  env: {},
  run: ['sha256:1'],
  build: ['sha256:2'],
  packages: { run: {}, build: {} },
};
const source = 'sha256:5' as const;

function runOf(request: Partial<BuildRequest> = {}) {
  const said: string[] = [];
  const step = (text: string) => void said.push(text);
  const progress = { header: step, step, detail: step, warn: step, raw: step };
  const run = {
    builds: dir,
    buildConfig: join(dir, 'build-config'),
    key: Buffer.alloc(32, 7),
    clock,
    order: [[{ buildpack: aBuildpack({ id: 'a/b', version: '1.0.0' }), optional: false }]],
    request: {
      app: parseAppName('blog'),
      source: { commit: '12345678'.repeat(5), subject: '', dir, checkoutMs: 0 },
      config: {},
      progress,
      ...request,
    },
  } as unknown as Run;
  return { run, said };
}

const changed = (before: readonly Part[], now: readonly Part[]) => compareParts(before, now).map(wordsOf);

describe('parts of a build by buildpacks', () => {
  const parts = (
    config: Record<string, string> = {},
    more: Partial<Parameters<typeof nativeParts>[1]> = {},
  ) => nativeParts(runOf({ config }).run, { generation, source, snapshot: { 'env:MODE': 'x' }, ...more });

  it('hold config by name, and its values by nothing that tells them', () => {
    const text = JSON.stringify(parts({ TOKEN: 'correct-horse' }));
    expect(text).toContain('TOKEN');
    expect(text).not.toContain('correct-horse');
  });

  it('count of config and source only what buildpacks say that they depend on', () => {
    const counting = (list: readonly Part[]) =>
      list
        .filter(({ counts, kind }) => counts && (kind === 'config' || kind === 'source'))
        .map(({ name }) => name);
    const config = { MODE: 'y', OTHER: 'z' };
    expect(counting(parts(config))).toEqual(['MODE']);
    expect(counting(parts(config, { snapshot: undefined }))).toEqual(['MODE', 'OTHER', '']);
  });

  it('differ by the stack, by a setting of the operator and by config', () => {
    const before = parts({ MODE: 'y' });
    mkdirSync(join(dir, 'build-config/env'), { recursive: true });
    writeFileSync(join(dir, 'build-config/env/GOPROXY'), 'http://proxy.example.org');
    const next: Generation = { ...generation, number: 2, run: ['sha256:3'] };
    expect(changed(before, parts({ MODE: 'n' }, { generation: next }))).toEqual([
      'the stack changed (wherry-12@1 to wherry-12@2)',
      'build setting GOPROXY is new',
      'MODE changed',
    ]);
  });
});

describe('parts of other builds', () => {
  it('differ by the commit that a classic buildpack is held at', () => {
    const text = 'https://example.org/pack.git';
    const parts = (pin: string) => {
      const fetched: Fetched = {
        source: parseBuildpackSource(text),
        pin,
        layer: `sha256:${pin}`,
        dir,
        parts: [],
        submodules: [],
      };
      return classicParts(runOf().run, { generation, stack: 'heroku-24', source, buildpacks: [fetched] });
    };
    expect(changed(parts('a'.repeat(40)), parts('b'.repeat(40)))).toContain(
      `buildpack ${text} changed (aaaaaaaaaaaa to bbbbbbbbbbbb)`,
    );
  });

  it("differ by a Dockerfile's arguments, whose values are not in them", () => {
    const parts = (args: Record<string, string>) =>
      dockerfileParts(runOf().run, { bases: [], source, path: 'Dockerfile', given: { args }, labels: {} });
    const now = parts({ TOKEN: 'correct-horse' });
    expect(changed(parts({ TOKEN: 'other' }), now)).toEqual(['build option --build-arg TOKEN changed']);
    expect(JSON.stringify(now)).not.toContain('correct-horse');
  });
});

describe('an explanation', () => {
  const parts: readonly Part[] = [{ kind: 'file', name: 'lock', print: '1', counts: true }];
  const found = { builder: 'buildpacks', parts, known: true, reused: false, lost: false } as const;
  const remember = (run: Run, printed: string) =>
    writeExplanation(
      dir,
      'blog',
      endExplanation(run, {
        ...{ builder: 'buildpacks', cause: 'first', changes: [], layers: [] },
        parts: [{ kind: 'file', name: 'lock', print: printed, counts: true }],
      }),
    );

  it.each([
    ['first', { known: false }, '1'],
    ['changed', {}, '2'],
    ['lost', { lost: true }, '1'],
    ['unknown', {}, '1'],
    ['unchanged', { reused: true }, '1'],
  ] as const)('has the cause %s with %j', (cause, more, before) => {
    const { run, said } = runOf();
    remember(run, before);
    expect(beginExplanation(run, { ...found, ...more }).cause).toBe(cause);
    expect(said).toEqual([]);
  });

  it('is said to whoever asks, before the build', () => {
    const { run, said } = runOf({ explain: true, fresh: true });
    remember(run, '2');
    beginExplanation(run, found);
    expect(said).toEqual(['This build runs because: it was asked for, lock changed']);
  });

  it('of a build by another contract is nothing to compare with', () => {
    const { run } = runOf();
    remember(run, '2');
    expect(beginExplanation(run, { ...found, builder: 'classic' })).toEqual({
      cause: 'unknown',
      changes: [],
    });
  });

  it('that is cut off on the disk is none', () => {
    mkdirSync(join(dir, 'blog'));
    writeFileSync(join(dir, 'blog/explain.json'), '{"schema":1,"parts":[');
    expect(readExplanation(dir, 'blog')).toBeUndefined();
    expect(beginExplanation(runOf().run, found).cause).toBe('unknown');
  });
});
