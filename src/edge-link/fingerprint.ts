import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Of the program that edges run: another one when a line of it changed, or Node itself did, whatever the version is called.
 * @param main the file that is started; its layers lie beside it
 */
export async function fingerprint(main: string): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const layer of ['edge', 'domain', 'system']) {
    const folder = join(dirname(main), layer);
    const files = (await readdir(folder)).filter(name => /\.[jt]s$/.test(name)).sort();
    for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
