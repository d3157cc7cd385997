import { createHash } from 'node:crypto';
import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import type { makeBase } from './base.ts';
import { packagesIn } from './dpkg.ts';
import type { Generation, StackSpec } from './generation.ts';
import { readRelease } from './os-release.ts';
import type { PartRequest } from './part.ts';
import { buildPackages, excludedPaths, revision, runPackages, stackEnv, suite as usual } from './recipe.ts';
import type { StackContext } from './stack.ts';

export type DebianSpec = Extract<StackSpec, { kind: 'debian' }>;

/** What this version of Wherry makes of a suite and packages on top of its own. */
export function debianSpec(suite: string = usual, packages: readonly string[] = []): DebianSpec {
  return { kind: 'debian', suite, packages: [...new Set(packages)].sort(), recipe: recipeKey() };
}

/** Changes with what goes into every Debian stack, and how. */
export function recipeKey(): string {
  const parts = [process.arch, revision, runPackages, buildPackages, excludedPaths];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 24);
}

type DebianOptions = {
  readonly name: string;
  readonly spec: DebianSpec;
  readonly layers: LayerStore;
  readonly context: StackContext;
  readonly dir: string;
  /** Also packages of the build image that are known on the same run image are looked at again. */
  readonly fresh: boolean;
  readonly base: typeof makeBase;
  /** A layer of packages, made anew. */
  readonly part: (request: PartRequest, context: StackContext, fresh: boolean) => Promise<DiffId>;
};

/** Run and build image of a Debian stack as the mirror has its packages now. @throws failed or not-found for a package */
export async function makeDebian(
  options: DebianOptions,
): Promise<Omit<Generation, 'number' | 'madeAt' | 'stack' | 'spec'>> {
  const { name, layers, context, dir } = options;
  const { suite, packages } = options.spec;
  const base = await options.base({ layers, suite, packages, dir, signal: context.signal });
  const request = { name: 'the build image', base: [base], packages: buildPackages, record: true, suite };
  const build = [base, await options.part(request, context, options.fresh)];
  const of = (image: readonly DiffId[]) => packagesIn(image, layers.layerPath);
  return {
    id: name,
    distro: readRelease([base], layers.layerPath),
    env: stackEnv,
    run: [base],
    build,
    packages: { run: of([base]), build: of(build) },
  };
}
