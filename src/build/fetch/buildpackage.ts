import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { exec } from '../../system/exec.ts';
import { escapedId } from '../lifecycle/buildpack.ts';
import { type ImageFiles, opened, readImage } from '../oci/archive.ts';
import { parseObject } from '../oci/config.ts';
import { unpackLayer } from '../oci/unpack.ts';

// Buildpackages: images whose layers hold buildpacks below /cnb/buildpacks, and whose labels say which (CNB distribution
// specification, "Buildpackage"). Nothing of them runs here; their files are those of strangers.

const label = {
  own: 'io.buildpacks.buildpackage.metadata',
  layers: 'io.buildpacks.buildpack.layers',
  builder: 'io.buildpacks.builder.metadata',
} as const;

const id = z.string().regex(/^[A-Za-z0-9./-]{1,200}$/);
const version = z.string().regex(/^(?!\.+$)[\w.+-]{1,100}$/);
const ownSchema = z.looseObject({ id, version });
const layersSchema = z.record(
  id,
  z.record(version, z.looseObject({ layerDiffID: z.string().regex(/^sha256:[0-9a-f]{64}$/) })),
);

/** Bytes of all its files, and buildpacks in one image. */
const largest = 2 ** 31;
const mostParts = 200;

type Part = { readonly id: string; readonly version: string; readonly diffId: string };

/**
 * The folders of an image's buildpacks, below `scratch`: first the one that it is for, then those that this one is made of.
 * @throws invalid when it is no buildpackage, or not what its labels say
 */
export async function unpackBuildpackage(image: {
  /** The image, named `image` in an OCI layout. */
  layout: string;
  scratch: string;
  name: string;
}): Promise<[string, ...string[]]> {
  const { name, scratch } = image;
  const files = readImage(image.layout, name, 'image');
  const [own, others] = readLabels(files.config.config?.Labels ?? {}, name);
  const unpack = unpacker(files, { scratch, name });
  const dirOf = async (part: Part) => folderOf(await unpack(part.diffId), part, name);
  const dirs: [string, ...string[]] = [await dirOf(own)];
  for (const part of others) dirs.push(await dirOf(part));
  await exec('chmod', ['-R', 'u=rwX,go=rX', '--', ...dirs]);
  return dirs;
}

function readLabels(labels: Readonly<Record<string, string>>, name: string): [Part, readonly Part[]] {
  const metadata = labels[label.own];
  if (metadata === undefined)
    throw new WherryError(
      'invalid',
      label.builder in labels
        ? `${name} is a builder, which holds many buildpacks and an order of its own. Name the image of one buildpack.`
        : `${name} holds no buildpack: it lacks the label ${label.own}. To run it, use git:from-image.`,
    );
  const own = parse(ownSchema, { labels, key: label.own, name });
  const parts = Object.entries(parse(layersSchema, { labels, key: label.layers, name })).flatMap(
    ([of, versions]) =>
      Object.entries(versions).map(([at, { layerDiffID }]) => ({ id: of, version: at, diffId: layerDiffID })),
  );
  if (parts.length > mostParts)
    throw new WherryError('invalid', `${name} holds more than ${mostParts} buildpacks. Use a smaller one.`);
  const isOwn = (part: Part) => part.id === own.id && part.version === own.version;
  const main = parts.find(isOwn);
  if (!main)
    throw new WherryError('invalid', `${name} lacks its buildpack ${own.id}@${own.version}. Make it again.`);
  return [main, parts.filter(part => !isOwn(part))];
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  { labels, key, name }: { labels: Readonly<Record<string, string>>; key: string; name: string },
): z.infer<Schema> {
  const parsed = schema.safeParse(parseObject(labels[key] ?? '{}', `Label ${key} of ${name}`));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WherryError(
    'invalid',
    `Label ${key} of ${name} cannot be read: ${issue?.path.join('.')}: ${issue?.message}. Make it again.`,
  );
}

/** Unpacks layers by what their content must be, each once: several buildpacks may lie in one. */
function unpacker(
  { layers }: ImageFiles,
  { scratch, name }: { scratch: string; name: string },
): (diffId: string) => Promise<string> {
  const done = new Map<string, string>();
  let left = largest;
  return async diffId => {
    const before = done.get(diffId);
    if (before !== undefined) return before;
    const file = layers.find(layer => layer.diffId === diffId);
    const into = join(scratch, `layer-${done.size}`);
    const what = `A layer of ${name.replace(/^I/, 'i')}`;
    const damaged = new WherryError('invalid', `${what} is not what its digest says. Make it again.`);
    if (!file) throw damaged;
    mkdirSync(into, { mode: 0o755 });
    const unpacked = await unpackLayer({ stream: await opened(file.file), into, name: what, limit: left });
    if (unpacked.diffId !== diffId) throw damaged;
    left -= unpacked.size;
    done.set(diffId, into);
    return into;
  };
}

/** Step by step, so that no link on the way leads elsewhere. */
function folderOf(layer: string, part: Part, name: string): string {
  const path = ['cnb', 'buildpacks', escapedId(part.id), part.version];
  let dir = layer;
  for (const step of path) {
    dir = join(dir, step);
    if (step === '..' || !lstatSync(dir, { throwIfNoEntry: false })?.isDirectory())
      throw new WherryError(
        'invalid',
        `${name} lacks its folder ${quoteForPeople(`/${path.join('/')}`)}. Make it again.`,
      );
  }
  return dir;
}
