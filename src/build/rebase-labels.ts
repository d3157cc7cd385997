import { z } from 'zod';
import type { DiffId, Image } from '../domain/image.ts';
import type { Runtime } from './runtimes/runtimes.ts';
import type { Generation } from './stack/generation.ts';
import { isPackageName } from './stack/package-name.ts';

/** What an image says of the stack it is on: enough to put what is its own on another generation. */
export type BaseInfo = {
  /** Name of the stack. */
  readonly stack: string;
  readonly id: string;
  readonly distro: Generation['distro'];
  /** Layers of the run image, lowest first. */
  readonly run: readonly DiffId[];
  /** Layers of Debian packages over it, each with the names of what is in it. */
  readonly packages: Readonly<Record<DiffId, readonly string[]>>;
};

const name = 'io.wherry.base';

/** The labels that change with a rebase. Nothing of them tells of the host: the number of a generation does not count. */
export function baseLabels(
  { stack, id, distro, run }: Pick<Generation, 'stack' | 'id' | 'distro' | 'run'>,
  runtimes: readonly Pick<Runtime, 'layer' | 'packages'>[],
): Readonly<Record<string, string>> {
  const packages = Object.fromEntries(
    runtimes.flatMap(({ layer, packages: names }) => (names ? [[layer, names]] : [])),
  );
  return {
    'io.buildpacks.stack.id': id,
    'io.buildpacks.base.id': id,
    'io.buildpacks.base.distro.name': distro.name,
    'io.buildpacks.base.distro.version': distro.version,
    'io.buildpacks.rebasable': 'true',
    [name]: JSON.stringify({ stack, id, distro, run, packages } satisfies BaseInfo),
  };
}

const diffId = z.custom<DiffId>(value => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value));
const schema = z.object({
  stack: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  id: z.string().max(200),
  distro: z.object({ name: z.string().max(64), version: z.string().max(64) }),
  run: z.array(diffId).min(1).max(500),
  packages: z.record(diffId, z.array(z.string().refine(isPackageName)).min(1).max(1000)),
});

/** undefined for an image that was not made on a stack: by a Dockerfile, or elsewhere. Its labels may be anybody's. */
export function baseOf({ labels, layers }: Pick<Image, 'labels' | 'layers'>): BaseInfo | undefined {
  if (labels['io.buildpacks.rebasable'] !== 'true') return undefined;
  try {
    const info = schema.parse(JSON.parse(labels[name] ?? ''));
    // On its stack it is only if that is what is at the bottom.
    return info.run.every((id, place) => layers[place] === id) ? info : undefined;
  } catch {
    return undefined;
  }
}
