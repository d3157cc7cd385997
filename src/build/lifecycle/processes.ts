import type { ProcessSpec } from '../../domain/image.ts';
import type { LaunchProcess } from './launch.ts';
import { shellPath } from './launcher.ts';

export type Merged = {
  /** One a type, sorted by type. */
  readonly processes: readonly LaunchProcess[];
  /** The type that an image runs when none is named; none unless a buildpack marked one. */
  readonly defaultType?: string;
  readonly warnings: readonly string[];
};

/**
 * The processes of all buildpacks in group order: a later one of the same type replaces the earlier, the last one marked as
 * default is it, and a default that is replaced by one that is none leaves none.
 */
export function mergeProcesses(lists: readonly (readonly LaunchProcess[])[]): Merged {
  const byType = new Map<string, LaunchProcess>();
  const warnings: string[] = [];
  let defaultType: string | undefined;
  for (const process of lists.flat()) {
    if (process.default) defaultType = process.type;
    else if (defaultType === process.type) {
      warnings.push(
        `Process type ${process.type} was the default until it was redefined; there is none now.`,
      );
      defaultType = undefined;
    }
    byType.set(process.type, process);
  }
  return {
    processes: [...byType.values()].sort((a, b) => (a.type < b.type ? -1 : 1)),
    ...(defaultType === undefined ? {} : { defaultType }),
    warnings,
  };
}

/** What the runtime puts behind the image's entrypoint. */
export function specOf({ type, command, args, direct, workingDir }: LaunchProcess): ProcessSpec {
  return { type, command: [...(direct ? [] : [shellPath]), ...command, ...args], workingDir };
}
