import { z } from 'zod';
import { type BuilderName, builderLabel } from '../domain/builder.ts';
import type { Image } from '../domain/image.ts';

/** What made an image: a builder, with its buildpacks, or nobody here, for an image that was loaded. */
export type BuiltBy = {
  readonly builder: BuilderName | 'image';
  /** As detection names them; a classic one as it was named. */
  readonly buildpacks: readonly string[];
};

const native = z.object({ buildpacks: z.array(z.object({ id: z.string(), version: z.string() })) });
const classic = z.array(z.object({ text: z.string() }));

/** Read from the image's labels, which a Dockerfile or a loaded image may have of its own: it is to be shown, not to be trusted. */
export function builtBy({ labels }: Pick<Image, 'labels'>): BuiltBy {
  if (labels[builderLabel] === 'dockerfile') return { builder: 'dockerfile', buildpacks: [] };
  const ours = read(labels['io.buildpacks.build.metadata'], native);
  if (ours)
    return {
      builder: 'buildpacks',
      buildpacks: ours.buildpacks.map(({ id, version }) => `${id}@${version}`),
    };
  const named = read(labels['io.wherry.classic-buildpacks'], classic);
  if (named) return { builder: 'buildpacks', buildpacks: named.map(({ text }) => text) };
  return { builder: 'image', buildpacks: [] };
}

function read<Value>(label: string | undefined, schema: z.ZodType<Value>): Value | undefined {
  if (label === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(label)).data;
  } catch {
    return undefined;
  }
}
