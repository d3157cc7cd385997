import { writeFile } from 'node:fs/promises';
import { exec } from './exec.ts';

/**
 * From now on nothing of the memory of this process, or of what it starts, is written to disk when it ends by a fault: config would
 * be in it. Hosts that pipe dumps to a program heed the filter, all others the limit.
 */
export async function forbidCoreDumps(): Promise<void> {
  // A kernel may be built without.
  await writeFile('/proc/self/coredump_filter', '0').catch(() => {});
  // The soft one: who wants dumps of an app may still ask for them.
  await exec('prlimit', ['--core=0:', '--pid', String(process.pid)]);
}
