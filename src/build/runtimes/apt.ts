import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { quoteForPeople } from '../../domain/names.ts';
import type { Require } from '../lifecycle/plan.ts';
import { isPackageName } from '../stack/package-name.ts';
import type { Stack, StackContext } from '../stack/stack.ts';
import { unknownPackage } from '../stack/unknown-package.ts';
import type { Runtime } from './runtimes.ts';

/** The name that buildpacks require Debian packages by: `metadata.packages` is a list of their names. */
export const aptName = 'apt';

/**
 * Debian packages as layers: one of what the app runs with, one more of what only its build needs. Keyed by the packages, so
 * that apps that ask for the same share them on disk and in memory.
 * @throws build-failed when a name is no package name
 */
export async function provideApt(
  requires: readonly Require[],
  stack: Stack,
  context: StackContext,
): Promise<readonly Runtime[]> {
  const launch = packagesOf(requires.filter(({ metadata }) => metadata['launch'] === true));
  const build = packagesOf(requires).filter(name => !launch.includes(name));
  const provided: Runtime[] = [];
  if (launch.length > 0) {
    const layer = await install(launch, stack, context);
    provided.push({ name: 'apt', layer, packages: launch, build: true, launch: true });
  }
  if (build.length > 0) {
    provided.push({
      name: 'apt-build',
      layer: await install(build, stack, context),
      packages: build,
      build: true,
      launch: false,
    });
  }
  return provided;
}

async function install(names: readonly string[], stack: Stack, context: StackContext): Promise<DiffId> {
  try {
    return await stack.extra(names, context);
  } catch (error) {
    const unknown = unknownPackage(error instanceof Error ? error.cause : undefined);
    if (unknown === undefined) throw error;
    const { distro } = await stack.generation(context);
    const title = `${distro.name.charAt(0).toUpperCase()}${distro.name.slice(1)} ${distro.version}`;
    throw new WherryError(
      'build-failed',
      `${title} has no package ${quoteForPeople(unknown)}. Correct its name or remove it.`,
      { cause: error },
    );
  }
}

function packagesOf(requires: readonly Require[]): string[] {
  const names = requires.flatMap(({ metadata }) => {
    const list = metadata['packages'];
    return Array.isArray(list) ? list.map(String) : [];
  });
  for (const name of names) {
    if (!isPackageName(name)) {
      throw new WherryError(
        'build-failed',
        `${quoteForPeople(name)} is not the name of a Debian package. Correct or remove it.`,
      );
    }
  }
  return [...new Set(names)].sort();
}
