import { createHash } from 'node:crypto';
import { createReadStream, lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { extractArchive } from '../archive.ts';
import { readSmallFile } from '../read-file.ts';
import { hostArchitecture, type OciConfig, parseConfig, parseObject } from './config.ts';

/** Images in an archive or layout may be larger than what people push. */
const limits = { bytes: 16 * 2 ** 30, entries: 10_000 };
const largestManifest = 4 * 2 ** 20;

export type ImageFiles = {
  readonly config: OciConfig;
  /** The layers' files, lowest first, each with what its content must be. */
  readonly layers: readonly LayerFile[];
};

export type LayerFile = {
  readonly file: string;
  /** sha256 of the file, where the archive names it; checked while it is read. */
  readonly digest?: string;
  /** sha256 of its tar. */
  readonly diffId: string;
};

/** Unpacks an image archive (docker save, OCI layout), gzip or plain, into a folder. @throws invalid */
export async function unpackArchive(options: { file: string; into: string; name: string }): Promise<void> {
  const { file, into, name } = options;
  await extractArchive({ stream: await opened(file), into, name, limits });
}

/**
 * Finds the image in an unpacked archive; by its name or tag where there are several.
 * @throws invalid when there is none or it is not what its digests say, not-found for a name that it does not have
 */
export function readImage(dir: string, name: string, wanted?: string): ImageFiles {
  const has = (file: string) => lstatSync(join(dir, file), { throwIfNoEntry: false })?.isFile() ?? false;
  if (has('index.json')) return readLayout(dir, name, wanted);
  if (has('manifest.json')) return readDockerArchive(dir, name, wanted);
  throw new WherryError(
    'invalid',
    `${name} is no image: it has neither index.json nor manifest.json. Make it with "docker save" or as an OCI archive.`,
  );
}

const descriptor = z.looseObject({
  mediaType: z.string().default(''),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256 and 64 hex digits'),
  annotations: z.record(z.string(), z.string()).nullish(),
  platform: z.looseObject({ os: z.string(), architecture: z.string() }).nullish(),
});
const index = z.looseObject({ manifests: z.array(descriptor).max(1000) });
const manifest = z.looseObject({ config: descriptor, layers: z.array(descriptor).max(500) });
type Descriptor = z.infer<typeof descriptor>;

const refName = 'org.opencontainers.image.ref.name';

function readLayout(dir: string, name: string, wanted: string | undefined): ImageFiles {
  const read = (file: string) => readText(dir, file, name);
  const blob = (item: Descriptor) => {
    const text = read(blobPath(item));
    if (sha256(text) !== item.digest) throw changed(name, item.digest);
    return text;
  };
  let item = choose(parse(index, read('index.json'), name).manifests, name, wanted);
  for (let depth = 0; /index|manifest\.list/.test(item.mediaType) && depth < 3; depth += 1)
    item = choose(parse(index, blob(item), name).manifests, name, undefined);
  const image = parse(manifest, blob(item), name);
  const config = parseConfig(blob(image.config), name);
  return withLayers(
    config,
    image.layers.map(layer => ({ file: join(dir, blobPath(layer)), digest: layer.digest })),
    name,
  );
}

function choose(items: readonly Descriptor[], name: string, wanted: string | undefined): Descriptor {
  const named = items.filter(({ annotations }) => {
    const names = [annotations?.[refName], annotations?.['io.containerd.image.name']];
    return wanted !== undefined && names.some(each => each !== undefined && sameImage(each, wanted));
  });
  const fitting = (named.length > 0 ? named : items).filter(
    ({ platform }) => !platform || (platform.os === 'linux' && platform.architecture === hostArchitecture()),
  );
  const [only, ...others] = fitting;
  if (only && others.length === 0) return only;
  if (only) throw several(name);
  throw new WherryError(
    'invalid',
    `${name} has no image for linux/${hostArchitecture()}. Build it for that platform.`,
  );
}

const dockerManifest = z
  .array(
    z.looseObject({
      Config: z.string(),
      RepoTags: z.array(z.string()).nullish(),
      Layers: z.array(z.string()).max(500),
    }),
  )
  .min(1);

function readDockerArchive(dir: string, name: string, wanted: string | undefined): ImageFiles {
  const items = parse(dockerManifest, readText(dir, 'manifest.json', name), name);
  const named = items.filter(({ RepoTags }) =>
    (RepoTags ?? []).some(tag => wanted !== undefined && sameImage(tag, wanted)),
  );
  const [only, ...others] = named.length > 0 ? named : items;
  if (!only || others.length > 0) throw several(name);
  const text = readText(dir, only.Config, name);
  const promised = /([0-9a-f]{64})(?:\.json)?$/.exec(only.Config)?.[1];
  if (promised !== undefined && sha256(text) !== `sha256:${promised}`) throw changed(name, only.Config);
  return withLayers(
    parseConfig(text, name),
    only.Layers.map(layer => ({ file: join(dir, inside(dir, layer, name)) })),
    name,
  );
}

function withLayers(
  config: OciConfig,
  files: readonly Omit<LayerFile, 'diffId'>[],
  name: string,
): ImageFiles {
  const ids = config.rootfs.diff_ids;
  if (ids.length !== files.length)
    throw new WherryError(
      'invalid',
      `${name} has ${files.length} layers and a configuration for ${ids.length}. Make it again.`,
    );
  return { config, layers: files.map((file, place) => ({ ...file, diffId: ids[place] ?? '' })) };
}

/** The layer's tar; gzip is taken away, whatever the media type says. @throws invalid for another compression */
export async function opened(file: string): Promise<Readable> {
  const start = await firstBytes(file);
  const raw = createReadStream(file);
  if (start.readUInt32LE(0) === 0xfd2fb528) {
    raw.destroy();
    throw new WherryError(
      'invalid',
      'The image is compressed with zstd, which is not read here. Make it with gzip or without compression.',
    );
  }
  if (start.readUInt16BE(0) !== 0x1f8b) return raw;
  const gunzip = createGunzip();
  raw.on('error', error => gunzip.destroy(error));
  return raw.pipe(gunzip);
}

async function firstBytes(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { start: 0, end: 3 })) chunks.push(chunk as Buffer);
  return Buffer.concat([...chunks, Buffer.alloc(4)]);
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Older archives link equal layers to each other; a link is followed inside the archive alone. */
function inside(dir: string, path: string, name: string): string {
  const clean = posix.normalize(path);
  if (clean.startsWith('/') || clean.startsWith('..') || clean.includes('\0'))
    throw new WherryError('invalid', `${name} is refused: ${quoteForPeople(path)} leads out of it.`);
  const stats = lstatSync(join(dir, clean), { throwIfNoEntry: false });
  if (!stats?.isFile() && !stats?.isSymbolicLink())
    throw new WherryError('invalid', `${name} lacks its file ${quoteForPeople(path)}. Make it again.`);
  return clean;
}

function readText(dir: string, path: string, name: string): string {
  const file = join(dir, inside(dir, path, name));
  const text = readSmallFile(file, `${path} of ${name}`, largestManifest);
  if (text === undefined) throw new WherryError('invalid', `${name} lacks its file ${path}. Make it again.`);
  return text;
}

function parse<Schema extends z.ZodType>(schema: Schema, text: string, name: string): z.infer<Schema> {
  const parsed = schema.safeParse(parseObject(text, name));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WherryError(
    'invalid',
    `${name} cannot be read: ${issue?.path.join('.')}: ${issue?.message}. Make it again.`,
  );
}

/** Whether two names mean the same image: a registry that is left out is any, a tag that is left out `latest`. */
function sameImage(one: string, other: string): boolean {
  const full = (text: string) => (/:[^/]+$|@/.test(text) ? text : `${text}:latest`);
  const [a, b] = [full(one), full(other)];
  return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`) || b.endsWith(`:${a}`);
}

function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function changed(name: string, what: string): WherryError {
  return new WherryError(
    'invalid',
    `${name} is damaged: ${what} has other content than its digest says. Make it again.`,
  );
}

function several(name: string): WherryError {
  return new WherryError(
    'invalid',
    `${name} holds several images. Name the one that is meant, or save it alone.`,
  );
}
