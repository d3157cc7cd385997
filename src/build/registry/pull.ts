import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import { settleAll, throwFirst } from '../../system/parallel.ts';
import { parseConfig } from '../oci/config.ts';
import type { Manifest, RegistryClient } from './client.ts';
import { chooseManifest, type Descriptor, mediaTypeOf, parseManifest } from './manifest.ts';

export type PullRequest = {
  readonly client: RegistryClient;
  /** What the image's tag or digest led to. */
  readonly manifest: Manifest;
  /** The image, for messages. */
  readonly name: string;
  /** An empty folder of ours; it becomes an OCI layout with one image, named `image`. */
  readonly into: string;
  /** Bytes of all layers as they come. */
  readonly limit: number;
  readonly progress: Progress;
  /** Whether the layer with this diffID is here already: then it is left out of the layout. */
  readonly has?: (diffId: string) => boolean;
};

const largestConfig = 4 * 2 ** 20;
const atOnce = 3;

/**
 * Downloads an image for this host's platform. What does not fit is found before its layers are asked for.
 * @throws invalid for another platform, too many bytes or wrong content; not-found, access-denied, unavailable
 */
export async function pullInto(request: PullRequest): Promise<void> {
  const { client, name, into } = request;
  const blobs = join(into, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const file = ({ digest }: { digest: string }) => join(blobs, digest.slice(7));
  const chosen = chooseManifest(request.manifest, name);
  const manifest = chosen ? await client.manifest(chosen.digest) : request.manifest;
  const image = parseManifest(manifest, name);
  if (image.config.size > largestConfig) throw tooLarge(name, largestConfig);
  if (total(image.layers) > request.limit) throw tooLarge(name, request.limit);
  await client.blob(image.config, file(image.config));
  const config = parseConfig(readFileSync(file(image.config), 'utf8'), name);
  const { diff_ids: ids } = config.rootfs;
  const missing = image.layers.filter((layer, place) => {
    const first = image.layers.findIndex(({ digest }) => digest === layer.digest);
    return first === place && request.has?.(ids[place] ?? '') !== true;
  });
  await downloadLayers(request, missing, file);
  writeFileSync(file(manifest), manifest.text);
  writeLayout(into, manifest);
}

async function downloadLayers(
  { client, progress }: PullRequest,
  layers: readonly Descriptor[],
  file: (layer: Descriptor) => string,
): Promise<void> {
  if (layers.length === 0) return;
  const word = layers.length === 1 ? 'layer' : 'layers';
  progress.detail(`Downloading ${layers.length} ${word}, ${formatBytes(total(layers))}`);
  let failed = false;
  const results = await settleAll(layers, atOnce, async layer => {
    if (failed) return;
    await client.blob(layer, file(layer)).catch(error => {
      failed = true;
      throw error;
    });
  });
  throwFirst(results);
}

/** OCI image-spec, image-layout.md. The index comes last: a folder that has one is whole. */
function writeLayout(dir: string, manifest: Manifest): void {
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const item = {
    mediaType: mediaTypeOf(manifest),
    digest: manifest.digest,
    size: Buffer.byteLength(manifest.text),
    annotations: { 'org.opencontainers.image.ref.name': 'image' },
  };
  writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [item] }));
}

function total(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

function tooLarge(name: string, limit: number): WherryError {
  return new WherryError('invalid', `${name} is larger than ${formatBytes(limit)}. Use a smaller image.`);
}

/** A name for a folder, the same for the same words. */
export function folderFor(...words: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('hex').slice(0, 32);
}
