import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import { type ImageFiles, type LayerFile, opened } from './archive.ts';
import { unpackLayer } from './unpack.ts';

export type ImportOptions = {
  /** Folder of the builds, on the store's file system: holds the notes of which layers are known. */
  readonly builds: string;
  readonly layers: LayerStore;
  /** What it is, for messages. */
  readonly name: string;
  /** Bytes unpacked, of all layers together. */
  readonly limit: number;
  /** Whose layers they become; this data directory's unless told. */
  readonly scope?: 'app' | 'shared';
  readonly signal?: AbortSignal;
};

/**
 * An image's layers in our store, lowest first. A layer that was unpacked before is not read again. The caller holds the store.
 * @throws invalid when a layer is hostile, damaged, or not what its digest says
 */
export async function importLayers(
  { layers: files }: ImageFiles,
  options: ImportOptions,
): Promise<readonly DiffId[]> {
  const done: DiffId[] = [];
  let left = options.limit;
  for (const [place, file] of files.entries()) {
    options.signal?.throwIfAborted();
    const name = `Layer ${place + 1} of ${options.name}`;
    const id = known(options, file.diffId) ?? (await importLayer(file, { ...options, name, limit: left }));
    left -= options.layers.info(id).size;
    done.push(id);
  }
  // A layer twice changes nothing that an overlay shows, unless one between them deletes; then only the later counts.
  return done.filter((id, place) => done.indexOf(id, place + 1) < 0);
}

async function importLayer(file: LayerFile, options: ImportOptions): Promise<DiffId> {
  const home = join(options.builds, '.images');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  // Named like the folders of builds, so that it is swept like them.
  const work = await mkdtemp(join(home, 'work-'));
  const dir = join(work, 'fs');
  mkdirSync(dir, { mode: 0o755 });
  try {
    if (file.digest !== undefined && (await digestOfFile(file.file)) !== file.digest)
      throw changed(options.name);
    const stream = await opened(file.file);
    const { diffId, opaque } = await unpackLayer({ ...options, stream, into: dir });
    if (diffId !== file.diffId) throw changed(options.name);
    const id = await options.layers.put({ dir, scope: options.scope ?? 'app', origin: 'image', opaque });
    await rememberLayer(options.builds, file.diffId, id);
    return id;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The layer that was made of the tar with this sha256 before, if it is here still. */
export function known(
  { builds, layers }: Pick<ImportOptions, 'builds' | 'layers'>,
  diffId: string,
): DiffId | undefined {
  try {
    const { layer } = JSON.parse(readFileSync(recordOf(builds, diffId), 'utf8')) as { layer: DiffId };
    return layers.has(layer) ? layer : undefined;
  } catch {
    return undefined;
  }
}

/** Notes that the tar with this sha256 is this layer of ours. */
export async function rememberLayer(builds: string, diffId: string, layer: DiffId): Promise<void> {
  const file = recordOf(builds, diffId);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.tmp`, JSON.stringify({ layer }));
  await rename(`${file}.tmp`, file);
}

/** `diffId` has the form of a digest: the configuration's parser saw to it. */
function recordOf(builds: string, diffId: string): string {
  return join(builds, '.images', `${diffId.replace(':', '-')}.json`);
}

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

function changed(name: string): WherryError {
  return new WherryError(
    'invalid',
    `${name} is damaged: its content is not what its digest says. Make the image again.`,
  );
}
