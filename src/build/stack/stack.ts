import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiffId } from '../../domain/image.ts';
import type { Progress } from '../../domain/push.ts';
import type { Clock } from '../../system/clock.ts';
import type { Paths } from '../../system/paths.ts';
import type { LayerStore } from '../layers/store.ts';
import { makeBase } from './base.ts';
import { once } from './once.ts';
import { makePackagesLayer } from './packages.ts';
import { buildPackages, compilerPackages, excludedPaths, revision, runPackages, suite } from './recipe.ts';

export type Stack = ReturnType<typeof createStack>;
export type StackContext = { readonly progress: Progress; readonly signal?: AbortSignal | undefined };

/** The images that apps are built in and run in: layers of Debian packages in the shared cache, each made once per host. */
export function createStack(options: { paths: Paths; layers: LayerStore; clock: Clock }) {
  const { paths, layers, clock } = options;
  const memory = new Map<string, DiffId>();

  const cached = async (part: Part, context: StackContext): Promise<DiffId> => {
    const known = memory.get(part.key) ?? recorded(paths, part.key);
    if (known && layers.has(known)) {
      memory.set(part.key, known);
      return known;
    }
    const onWait = () =>
      context.progress.detail(`Waiting for ${part.name}, which is being prepared (once per host)`);
    const lock = { dir: join(paths.cache, 'locks'), name: part.key, clock, onWait, signal: context.signal };
    return await once(lock, async () => {
      const meanwhile = recorded(paths, part.key);
      if (meanwhile && layers.has(meanwhile)) return meanwhile;
      context.progress.step(`Preparing ${part.name} (once per host)`);
      const made = await part.make(join(paths.cache, 'tmp', part.key));
      await recordLayer(paths, part.key, made);
      return made;
    });
  };

  const base = async (context: StackContext) =>
    await cached(
      {
        name: 'the stack image',
        key: `base-${keyOf([suite, process.arch, revision, runPackages, excludedPaths])}`,
        make: async dir => await makeBase({ layers, dir, signal: context.signal }),
      },
      context,
    );

  const packages = async (request: PackagesRequest, context: StackContext) =>
    await cached(
      {
        name: request.name,
        key: `packages-${keyOf([revision, request.base, request.packages, request.record])}`,
        make: async dir =>
          await makePackagesLayer({ layers, dir, origin: request.name, signal: context.signal, ...request }),
      },
      context,
    );

  const run = async (context: StackContext): Promise<DiffId[]> => [await base(context)];
  const build = async (context: StackContext): Promise<DiffId[]> => {
    const below = await run(context);
    const request = { name: 'the build image', base: below, packages: buildPackages, record: true };
    return [...below, await packages(request, context)];
  };

  return {
    /** Layers of the run image, lowest first. */
    run,
    /** Layers of the build image: those of the run image and one more. */
    build,
    /** One layer to put on the build image. */
    async compilers(context: StackContext): Promise<DiffId> {
      const request = {
        name: 'the compilers',
        base: await build(context),
        packages: compilerPackages,
        record: true,
      };
      return await packages(request, context);
    },
    /** One layer of packages' files to put on the run image. */
    async extra(names: readonly string[], context: StackContext): Promise<DiffId> {
      const request = { name: names.join(', '), base: await run(context), packages: names, record: false };
      return await packages(request, context);
    },
  };
}

type Part = { readonly name: string; readonly key: string; readonly make: (dir: string) => Promise<DiffId> };
type PackagesRequest = {
  readonly name: string;
  readonly base: readonly DiffId[];
  readonly packages: readonly string[];
  readonly record: boolean;
};

function recorded(paths: Paths, key: string): DiffId | undefined {
  try {
    return (JSON.parse(readFileSync(join(paths.cache, 'stacks', `${key}.json`), 'utf8')) as { layer: DiffId })
      .layer;
  } catch {
    return undefined;
  }
}

async function recordLayer(paths: Paths, key: string, layer: DiffId): Promise<void> {
  const dir = join(paths.cache, 'stacks');
  mkdirSync(dir, { recursive: true });
  const draft = join(dir, `${key}.${process.pid}.tmp`);
  writeFileSync(draft, JSON.stringify({ layer }));
  await rename(draft, join(dir, `${key}.json`));
}

function keyOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}
