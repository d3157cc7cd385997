import { z } from 'zod';
import { WherryError } from '../domain/errors.ts';
import type { DiffId, Image } from '../domain/image.ts';
import type { RebaseRequest } from './builder.ts';
import { identified } from './image-id.ts';
import { type BaseInfo, baseLabels, baseOf } from './rebase-labels.ts';
import type { Generation } from './stack/generation.ts';
import { stackId } from './stack/recipe.ts';
import type { Stack } from './stack/stack.ts';

/**
 * The same layers of an app on the newest generation of its stack: nothing of the app is built or read. Debian packages that
 * the platform laid between them are those of the new generation. The image itself where nothing is newer.
 * @throws conflict naming the remedy when it cannot be done
 */
export async function rebase(request: RebaseRequest, stack: Stack): Promise<Image> {
  const { app, image, progress, signal } = request;
  const info = baseOf(image);
  if (!info)
    throw new WherryError(
      'conflict',
      `App ${app} runs an image that is not made on a stack, so its own layers cannot be told from those below. Build or load it again.`,
      { hint: `ps:rebuild ${app}` },
    );
  const wanted = request.base ?? stackId;
  if (info.stack !== wanted)
    throw new WherryError(
      'conflict',
      `App ${app} was built on stack ${info.stack} and is set to use ${wanted}. Build it there, or set it back with stacks:use.`,
      { hint: `ps:rebuild ${app}` },
    );
  const context = { progress, signal, base: await stack.pin({ progress, signal, base: wanted }) };
  const generation = await stack.generation(context);
  checkSame(request, info, generation);
  const packages = new Map<DiffId, Packages>();
  for (const [layer, names] of Object.entries(info.packages) as [DiffId, readonly string[]][])
    packages.set(layer, { layer: await stack.extra(names, context), packages: names });
  return rebased({ image, info, before: stack.of(info.stack, info.run), generation, packages });
}

/** E10: another system would run code that was made for this one. */
function checkSame({ app, force }: RebaseRequest, info: BaseInfo, { stack, id, distro }: Generation): void {
  const hint = `ps:rebuild ${app}`;
  if (info.id !== id)
    throw new WherryError(
      'conflict',
      `Stack ${stack} is now ${id}; app ${app} was built on ${info.id}. Build it again.`,
      { hint },
    );
  if (force || (info.distro.name === distro.name && info.distro.version === distro.version)) return;
  const [was, is] = [info.distro, distro].map(({ name, version }) => `${name} ${version}`.trim());
  throw new WherryError(
    'conflict',
    `Stack ${stack} is now ${is}; app ${app} was built on ${was}. Build it again, or say --force.`,
    { hint },
  );
}

/** An image with other layers at the bottom, and everything that it says of them. Pure. */
export function rebased(parts: {
  readonly image: Image;
  readonly info: BaseInfo;
  /** The generation that the image is on, where it is still known. */
  readonly before: Pick<Generation, 'env'> | undefined;
  readonly generation: Pick<Generation, 'stack' | 'id' | 'distro' | 'env' | 'run'>;
  /** By the layers of packages of the image, what takes their place. */
  readonly packages: ReadonlyMap<DiffId, Packages>;
}): Image {
  const { image, info, generation, packages } = parts;
  const { id: _, ...content } = image;
  const own = image.layers.slice(info.run.length).map(id => packages.get(id)?.layer ?? id);
  return identified({
    ...content,
    layers: [...new Set([...generation.run, ...own])],
    env: otherEnv(image.env, { before: (parts.before ?? generation).env, after: generation.env }),
    labels: otherLabels(image.labels, { info, generation, packages: [...packages.values()] }),
  });
}

/** What came from the stack is as the new one has it; the app's own stays. */
function otherEnv(
  env: Image['env'],
  { before, after }: { before: Image['env']; after: Image['env'] },
): Image['env'] {
  const rest = Object.entries(env).filter(([name, value]) => !(name in before) || before[name] !== value);
  const path = env['PATH'] ?? '';
  const tail = before['PATH'] ?? '';
  const front = path.endsWith(tail) ? path.slice(0, path.length - tail.length) : undefined;
  return {
    ...after,
    ...Object.fromEntries(rest),
    ...(front === undefined ? {} : { PATH: `${front}${after['PATH'] ?? ''}` }),
  };
}

type Packages = { readonly layer: DiffId; readonly packages: readonly string[] };

/** A buildpack may have set any of them to something of its own, which stays. */
function otherLabels(
  labels: Image['labels'],
  {
    info,
    generation,
    packages,
  }: {
    info: BaseInfo;
    generation: Pick<Generation, 'stack' | 'id' | 'distro' | 'run'>;
    packages: readonly Packages[];
  },
): Image['labels'] {
  const before = Object.entries(info.packages) as [DiffId, readonly string[]][];
  const was = baseLabels(
    info,
    before.map(([layer, names]) => ({ layer, packages: names })),
  );
  const changed = Object.entries(baseLabels(generation, packages)).filter(
    ([name]) => labels[name] === was[name],
  );
  return { ...labels, ...Object.fromEntries(changed), ...lifecycleLabel(labels, generation) };
}

const metadataName = 'io.buildpacks.lifecycle.metadata';

/** `runImage` of the lifecycle's own label; classic images have none. */
function lifecycleLabel(
  labels: Image['labels'],
  { id, run }: Pick<Generation, 'id' | 'run'>,
): Readonly<Record<string, string>> {
  const metadata = parsed(labels[metadataName]);
  if (metadata === undefined) return {};
  const topLayer = run.at(-1);
  const runImage = { ...(topLayer ? { topLayer } : {}), reference: id };
  return { [metadataName]: JSON.stringify({ ...metadata, runImage }) };
}

/** An object with a table `runImage`; undefined for anything else, which a buildpack has put there. */
function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return metadataSchema.safeParse(value).success ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

const metadataSchema = z.looseObject({ runImage: z.looseObject({}) });
