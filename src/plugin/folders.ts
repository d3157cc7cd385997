import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPluginName } from './define-check.ts';

/** Compiled or not: the plugins lie beside `src`. */
export const builtInFolder = fileURLToPath(new URL('../../plugins/', import.meta.url));
/** Of their code there; that of installed ones is JavaScript. */
export const codeEnding = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Folders that may be plugins, by name; none where there is no such folder. */
export async function foldersIn(dir: string): Promise<{ name: string; path: string }[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries
    .filter(entry => entry.isDirectory() && isPluginName(entry.name))
    .map(({ name }) => ({ name, path: join(dir, name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
