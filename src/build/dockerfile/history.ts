import { createHash } from 'node:crypto';
import { constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';

type Descriptor = { readonly digest: string; readonly size: number };
type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] };
type Entry = { readonly created?: string; readonly empty_layer?: boolean };
type Config = { readonly history?: readonly Entry[] | null };

/**
 * An OCI layout whose image has one entry of history with a time for each layer, which buildah counts on and the specification
 * leaves open: the one that is given where it has them, else a copy in `into`. What is given was verified by whoever made it.
 */
export async function withHistory(given: string, into: string): Promise<string> {
  const index = readJson(join(given, 'index.json')) as { manifests: [Descriptor] };
  const [item] = index.manifests;
  const manifest = readJson(blob(given, item)) as Manifest;
  const config = readJson(blob(given, manifest.config)) as Config;
  const { layers } = manifest;
  if (isWhole(config.history ?? [], layers.length)) return given;
  mkdirSync(join(into, 'blobs/sha256'), { recursive: true });
  for (const layer of layers)
    await copyFile(blob(given, layer), blob(into, layer), constants.COPYFILE_FICLONE);
  const put = (value: unknown): Descriptor => {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(blob(into, { digest }), text);
    return { digest, size: Buffer.byteLength(text) };
  };
  const history = layers.map(() => ({ created: '1980-01-01T00:00:01Z', created_by: 'unknown' }));
  const described = { ...manifest.config, ...put({ ...config, history }) };
  const manifests = [{ ...item, ...put({ ...manifest, config: described }) }];
  writeFileSync(join(into, 'oci-layout'), readFileSync(join(given, 'oci-layout')));
  writeFileSync(join(into, 'index.json'), JSON.stringify({ ...index, manifests }));
  return into;
}

/** Without times, steps on top of it would never be found in the cache. */
function isWhole(history: readonly Entry[], layers: number): boolean {
  const filled = history.filter(entry => !entry.empty_layer);
  return filled.length === layers && history.every(({ created }) => created !== undefined);
}

function blob(dir: string, { digest }: Pick<Descriptor, 'digest'>): string {
  return join(dir, 'blobs/sha256', digest.slice(7));
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
