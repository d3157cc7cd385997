import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import type { Require } from '../lifecycle/plan.ts';
import type { Stack, StackContext } from '../stack/stack.ts';
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
    provided.push({ name: 'apt', layer: await stack.extra(launch, context), build: true, launch: true });
  }
  if (build.length > 0) {
    provided.push({
      name: 'apt-build',
      layer: await stack.extra(build, context),
      build: true,
      launch: false,
    });
  }
  return provided;
}

function packagesOf(requires: readonly Require[]): string[] {
  const names = requires.flatMap(({ metadata }) => {
    const list = metadata['packages'];
    return Array.isArray(list) ? list.map(String) : [];
  });
  for (const name of names) {
    if (!/^[a-z0-9][a-z0-9+.-]{1,99}$/.test(name)) {
      throw new WherryError(
        'build-failed',
        `${quoteForPeople(name)} is not the name of a Debian package. Correct or remove it.`,
      );
    }
  }
  return [...new Set(names)].sort();
}
