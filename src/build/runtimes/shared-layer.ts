import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
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

/** What runtimes are made with. */
export type SharedOptions = {
  readonly paths: Paths;
  readonly layers: LayerStore;
  readonly clock: Clock;
};
/** The same for those from the npm registry. */
export type NpmRuntimeOptions = SharedOptions & { readonly npm: Npm };

/** Of the archive that a layer was made from: hexadecimal digests by algorithm. */
export type Digests = Readonly<Record<string, string>>;

export type SharedLayer = {
  /** Unique for what is in it: name, version and architecture. */
  readonly key: string;
  /** For people, with the version. */
  readonly title: string;
  /** Fills `dir/root`, the layer's root; `dir` is a work folder on the cache's file system. */
  readonly make: (dir: string, signal: AbortSignal | undefined) => Promise<Digests | undefined>;
  /** Whether a layer that is there already will do, by what was noted when it was made. */
  readonly accepts?: (digests: Digests | undefined) => boolean;
};

const root = { uid: 0, gid: 0 } as const;

/** The part of an npm package's name that tells this host's processor. */
export const arch = process.arch === 'arm64' ? 'arm64' : 'x64';

/** A runtime as a layer of the shared cache: made once per host, whoever asks first, and found by its key from then on. */
export async function provideShared(
  options: SharedOptions,
  { key, title, make, accepts = () => true }: SharedLayer,
  { progress, signal }: StackContext,
): Promise<DiffId> {
  const { paths, layers, clock } = options;
  const stored = () => (accepts(recorded(paths, key)?.digests) ? sharedLayer(options, key) : undefined);
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
      const digests = await make(dir, signal);
      const layer = await layers.put({ dir: join(dir, 'root'), scope: 'shared', origin: title, owner: root });
      record(paths, key, digests ? { layer, digests } : { layer });
      return layer;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
}

/** The layer with this key, if this host has it. */
export function sharedLayer({ paths, layers }: SharedOptions, key: string): DiffId | undefined {
  const layer = recorded(paths, key)?.layer as DiffId | undefined;
  return layer && layers.has(layer) ? layer : undefined;
}

/** Downloads an npm package and unpacks it; returns the folder with its files, which the next call replaces. */
export async function unpackPackage(
  npm: Npm,
  spec: string,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  return (await fetchPackage(npm, spec, dir, signal)).folder;
}

/** The same, with the digests of the archive. */
export async function fetchPackage(
  npm: Npm,
  spec: string,
  dir: string,
  signal: AbortSignal | undefined,
): Promise<{ folder: string; digests: Digests }> {
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
  return { folder, digests: await digestsOf(archive) };
}

/** With every algorithm that packageManager in package.json may name. */
export async function digestsOf(file: string): Promise<Digests> {
  const content = await readFile(file);
  const algorithms = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512'];
  return Object.fromEntries(algorithms.map(name => [name, createHash(name).update(content).digest('hex')]));
}

const recordSchema = z.object({
  layer: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  digests: z.record(z.string(), z.string()).optional(),
});
type SharedRecord = z.infer<typeof recordSchema>;

function recorded(paths: Paths, key: string): SharedRecord | undefined {
  try {
    const text = readFileSync(join(paths.cache, 'runtimes', `${key}.json`), 'utf8');
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function record(paths: Paths, key: string, made: SharedRecord): void {
  const dir = join(paths.cache, 'runtimes');
  mkdirSync(dir, { recursive: true });
  const draft = join(dir, `${key}.${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify(made));
  renameSync(draft, join(dir, `${key}.json`));
}
