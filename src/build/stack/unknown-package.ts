import { ExecError } from '../../system/exec.ts';

/** The package that apt says it cannot find, from how it failed. */
export function unknownPackage(failure: unknown): string | undefined {
  if (!(failure instanceof ExecError)) return undefined;
  return /Unable to locate package (\S+)|Package '?([^'\s]+)'? has no installation candidate/
    .exec(failure.stderr)
    ?.slice(1)
    .find(name => name !== undefined);
}
