import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import { exec } from '../../system/exec.ts';
import { hostArchitecture } from '../oci/config.ts';

/**
 * Writes layers of ours as an OCI layout that other tools read; without compression, as it never leaves the host. Layers that
 * delete what is below them cannot be written: a stack's do not. Returns which of our layers each of the written ones is.
 */
export async function writeLayout(options: {
  dir: string;
  layers: readonly DiffId[];
  layerPath: (id: DiffId) => string;
  /** What every process in it finds set. */
  env: Readonly<Record<string, string>>;
  signal: AbortSignal;
}): Promise<ReadonlyMap<string, DiffId>> {
  const blobs = join(options.dir, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const tars = [];
  const made = new Map<string, DiffId>();
  for (const id of options.layers) {
    const draft = join(blobs, 'draft');
    const how = ['--create', `--file=${draft}`, '--numeric-owner', '--sort=name', '--mtime=@315532801'];
    const limits = { timeout: 300_000, signal: options.signal };
    await exec('tar', [...how, '-C', options.layerPath(id), '.'], limits);
    const digest = await digestOfFile(draft);
    made.set(digest, id);
    renameSync(draft, join(blobs, digest.slice(7)));
    tars.push({
      mediaType: `${oci}.layer.v1.tar`,
      digest,
      size: statSync(join(blobs, digest.slice(7))).size,
    });
  }
  const put = (value: unknown) => {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    writeFileSync(join(blobs, digest.slice(7)), text);
    return { digest, size: Buffer.byteLength(text) };
  };
  const config = put({
    architecture: hostArchitecture(),
    os: 'linux',
    config: {
      Env: Object.entries(options.env).map(([name, value]) => `${name}=${value}`),
      Cmd: ['/bin/bash'],
    },
    rootfs: { type: 'layers', diff_ids: tars.map(({ digest }) => digest) },
    // Buildah counts on one entry a layer.
    history: tars.map(() => ({ created: '1980-01-01T00:00:01Z', created_by: 'wherry' })),
  });
  const manifest = put({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, ...config },
    layers: tars,
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'image' };
  const manifests = [{ mediaType: `${oci}.manifest.v1+json`, annotations, ...manifest }];
  writeFileSync(join(options.dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(options.dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  return made;
}

const oci = 'application/vnd.oci.image';

async function digestOfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
