import { createHash } from 'node:crypto';
import { chmod, chown, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { edgeFiles } from './folder.ts';
import type { Ids } from './user.ts';

/** Pages of apps where the edge can read them, each under the SHA-256 of what it holds: routes only name them. */
export interface PageFiles {
  /** @returns the name that a route gives for it */
  put(text: string): Promise<string>;
  /** Makes these the only ones. */
  restore(texts: Iterable<string>): Promise<void>;
}

export function createPageFiles({ dir, user }: { dir: string; user: () => Ids | undefined }): PageFiles {
  const { pages } = edgeFiles(dir);
  const put = async (text: string): Promise<string> => {
    const sum = createHash('sha256').update(text).digest('hex');
    const file = join(pages, `${sum}.html`);
    if (await stat(file).catch(() => undefined)) return sum;
    const temporary = `${file}.tmp`;
    await writeFile(temporary, text, { mode: 0o600 });
    const ids = user();
    if (ids) await chown(temporary, 0, ids.gid);
    await chmod(temporary, 0o640);
    await rename(temporary, file);
    return sum;
  };
  return {
    put,
    async restore(texts) {
      const kept = new Set<string>();
      for (const text of texts) kept.add(`${await put(text)}.html`);
      for (const name of await readdir(pages))
        if (!kept.has(name)) await rm(join(pages, name), { force: true });
    },
  };
}
