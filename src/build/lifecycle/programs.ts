import { closeSync, constants, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** Why a buildpack's programs cannot run, with the remedy; undefined if nothing speaks against it. */
export function programTrouble(dir: string): string | undefined {
  for (const name of ['bin/detect', 'bin/build']) {
    const stats = lstatSync(join(dir, name), { throwIfNoEntry: false });
    if (!stats) return `has no program ${name}. Add it.`;
    // Where a link leads is known in the container alone.
    if (stats.isSymbolicLink()) continue;
    if (!stats.isFile()) return `has a ${name} that is no file. Put the program in its place.`;
    if ((stats.mode & 0o111) === 0)
      return `has a ${name} that may not be run. Make it executable: chmod +x ${name}`;
    if (firstLine(join(dir, name)).endsWith('\r'))
      return `has a ${name} with the line ends of Windows, so that its interpreter is not found. Save it with plain ones.`;
  }
  return undefined;
}

/** Of a script; of a compiled program nothing that says anything. */
function firstLine(file: string): string {
  const start = Buffer.alloc(256);
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const [line = ''] = start
      .toString('latin1', 0, readSync(handle, start, 0, start.length, 0))
      .split('\n', 1);
    return line.startsWith('#!') ? line : '';
  } finally {
    closeSync(handle);
  }
}
