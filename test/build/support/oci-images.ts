import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { must } from '../../support/run.ts';

export type TarItem = Partial<Header> & { readonly name: string; readonly text?: string | Buffer };

/** A tar of just these entries, in this order. */
export async function tarOf(items: readonly TarItem[]): Promise<Buffer> {
  const archive = pack();
  for (const { text = '', ...header } of items) archive.entry(header, text);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The smallest system that runs: busybox, as its shell too, and a user. */
export async function systemLayer(more: readonly TarItem[] = []): Promise<Buffer> {
  return await tarOf([
    { name: 'bin/busybox', mode: 0o755, text: readFileSync('/bin/busybox') },
    { name: 'bin/sh', type: 'symlink', linkname: 'busybox' },
    { name: 'etc/passwd', text: 'sailor:x:7000:7001::/:/bin/sh\n' },
    ...more,
  ]);
}

export type ImageParts = {
  readonly layers: readonly Buffer[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly architecture?: string;
  /** What the configuration says of its layers, where it lies. */
  readonly diffIds?: readonly string[];
  readonly name?: string;
};

/** An image as a folder: an OCI layout with compressed layers, or what `docker save` makes. */
export function writeImage(dir: string, kind: 'oci' | 'docker', parts: ImageParts): void {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  const blob = (content: Buffer) => {
    const hex = createHash('sha256').update(content).digest('hex');
    writeFileSync(join(dir, 'blobs/sha256', hex), content);
    return { digest: `sha256:${hex}`, size: content.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const architecture = parts.architecture ?? (process.arch === 'x64' ? 'amd64' : process.arch);
  const config = json({
    architecture,
    os: 'linux',
    config: parts.config ?? {},
    rootfs: { type: 'layers', diff_ids: parts.diffIds ?? parts.layers.map(sha256) },
  });
  if (kind === 'docker') {
    const hex = sha256(config).slice(7);
    writeFileSync(join(dir, `${hex}.json`), config);
    const layers = parts.layers.map((layer, place) => {
      mkdirSync(join(dir, String(place)));
      writeFileSync(join(dir, `${place}/layer.tar`), layer);
      return `${place}/layer.tar`;
    });
    const RepoTags = [parts.name ?? 'boat:latest'];
    writeFileSync(join(dir, 'manifest.json'), json([{ Config: `${hex}.json`, RepoTags, Layers: layers }]));
    return;
  }
  const manifest = blob(
    json({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob(config) },
      layers: parts.layers.map(layer => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        ...blob(gzipSync(layer)),
      })),
    }),
  );
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const annotations = { 'org.opencontainers.image.ref.name': parts.name ?? 'latest' };
  writeFileSync(
    join(dir, 'index.json'),
    json({ schemaVersion: 2, manifests: [{ mediaType, annotations, ...manifest }] }),
  );
}

export async function archiveOf(dir: string, file: string): Promise<string> {
  await must('tar', ['--create', `--file=${file}`, '-C', dir, '.']);
  return file;
}

export function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
