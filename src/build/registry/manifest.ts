import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import { hostArchitecture, parseObject } from '../oci/config.ts';
import type { Manifest } from './client.ts';

const descriptor = z.looseObject({
  mediaType: z.string().default(''),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256 and 64 hex digits'),
  size: z.number().int().nonnegative(),
  platform: z.looseObject({ os: z.string(), architecture: z.string() }).nullish(),
});
const index = z.looseObject({ manifests: z.array(descriptor).max(1000) });
const image = z.looseObject({ config: descriptor, layers: z.array(descriptor).max(500) });

export type Descriptor = z.infer<typeof descriptor>;
export type ImageManifest = z.infer<typeof image>;

/** The one of a multi-platform image that this host runs; undefined when the manifest is one image's own. @throws invalid */
export function chooseManifest(manifest: Manifest, name: string): Descriptor | undefined {
  const content = readObject(manifest, name);
  if (!('manifests' in content)) return undefined;
  const own = hostArchitecture();
  const items = parse(index, content, name).manifests;
  const found = items.find(({ platform }) => platform?.os === 'linux' && platform.architecture === own);
  if (found) return found;
  const known = items.flatMap(({ platform }) =>
    platform && platform.os !== 'unknown' ? [`${platform.os}/${platform.architecture}`] : [],
  );
  throw new WherryError(
    'invalid',
    `${name} has no image for linux/${own}, which this host runs; it has ${known.slice(0, 8).join(', ') || 'none at all'}. Build it for that platform.`,
  );
}

/** @throws invalid when it is no manifest of one image */
export function parseManifest(manifest: Manifest, name: string): ImageManifest {
  const content = readObject(manifest, name);
  if ('schemaVersion' in content && content.schemaVersion === 1)
    throw new WherryError(
      'invalid',
      `${name} has a manifest of the old schema 1, which is not read here. Push it again with a tool of this decade.`,
    );
  return parse(image, content, name);
}

/** The media type that the content is stored under: what it says itself, else what the registry said. */
export function mediaTypeOf({ text, mediaType }: Manifest): string {
  const own = (JSON.parse(text) as { mediaType?: unknown }).mediaType;
  return typeof own === 'string' ? own : mediaType;
}

function readObject({ text }: Manifest, name: string): object {
  const content = parseObject(text, name);
  if (typeof content === 'object' && content !== null) return content;
  throw new WherryError('invalid', `${name} has no manifest that can be read. Push it again.`);
}

function parse<Schema extends z.ZodType>(schema: Schema, content: object, name: string): z.infer<Schema> {
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WherryError(
    'invalid',
    `${name} has a manifest that cannot be read: ${issue?.path.join('.')}: ${issue?.message}. Push it again.`,
  );
}
