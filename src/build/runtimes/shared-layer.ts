import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { Clock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import { once } from '../stack/once.ts';
import type { StackContext } from '../stack/stack.ts';
import type { Npm } from './npm.ts';

/** What the runtimes from the npm registry are made with. */
export type NpmRuntimeOptions = {
  readonly paths: Paths;
  readonly layers: LayerStore;
  readonly npm: Npm;
  readonly clock: Clock;
};

export type SharedLayer = {
  /** Unique for what is in it: name, version and architecture. */
  readonly key: string;
  /** For people, with the version. */
  readonly title: string;
  /** Fills `dir/root`, the layer's root; `dir` is a work folder on the cache's file system. */
  readonly make: (dir: string, signal: AbortSignal | undefined) => Promise<void>;
};

const root = { uid: 0, gid: 0 } as const;

/** The part of an npm package's name that tells this host's processor. */
export const arch = process.arch === 'arm64' ? 'arm64' : 'x64';

/** A runtime as a layer of the shared cache: made once per host, whoever asks first, and found by its key from then on. */
export async function provideShared(
  { paths, layers, clock }: NpmRuntimeOptions,
  { key, title, make }: SharedLayer,
  { progress, signal }: StackContext,
): Promise<DiffId> {
  const stored = () => {
    const layer = recorded(paths, key);
    return layer && layers.has(layer) ? layer : undefined;
  };
  const known = stored();
  if (known) return known;
  return await once({ dir: join(paths.cache, 'locks'), name: key, clock, signal }, async () => {
    const meanwhile = stored();
    if (meanwhile) return meanwhile;
    progress.step(`Downloading ${title} (once per host)`);
    const dir = join(paths.cache, 'tmp', key);
    await rm(dir, { recursive: true, force: true });
    await mkdir(join(dir, 'root'), { recursive: true });
    try {
      await make(dir, signal);
      const layer = await layers.put({ dir: join(dir, 'root'), scope: 'shared', origin: title, owner: root });
      record(paths, key, layer);
      return layer;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
}

/** Downloads an npm package and unpacks it; returns the folder with its files, which the next call replaces. */
export async function unpackPackage(
  npm: Npm,
  spec: string,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const folder = join(dir, 'package');
  await rm(folder, { recursive: true, force: true });
  const archive = await npm.pack(spec, dir, signal);
  await exec('tar', ['-xzf', archive, '-C', dir, '--no-same-owner', '--no-same-permissions'], {
    timeout: 120_000,
  });
  if (!existsSync(folder))
    throw new WherryError(
      'failed',
      `${spec} is not an npm package of the usual form. Ask for another version.`,
    );
  return folder;
}

const recordSchema = z.object({ layer: z.string().regex(/^sha256:[0-9a-f]{64}$/) });

function recorded(paths: Paths, key: string): DiffId | undefined {
  try {
    const text = readFileSync(join(paths.cache, 'runtimes', `${key}.json`), 'utf8');
    return recordSchema.parse(JSON.parse(text)).layer as DiffId;
  } catch {
    return undefined;
  }
}

function record(paths: Paths, key: string, layer: DiffId): void {
  const dir = join(paths.cache, 'runtimes');
  mkdirSync(dir, { recursive: true });
  const draft = join(dir, `${key}.${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify({ layer }));
  renameSync(draft, join(dir, `${key}.json`));
}
