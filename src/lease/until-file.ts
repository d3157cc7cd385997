import { readFile, rename, writeFile } from 'node:fs/promises';

/** Until when an app is busy, in Unix milliseconds, as it was noted; 0 where nothing is. */
export async function readUntil(file: string): Promise<number> {
  try {
    const number = Number(await readFile(file, 'utf8'));
    return Number.isFinite(number) ? number : 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** There whole or not at all, also after a crash in between. */
export async function writeUntil(file: string, until: number): Promise<void> {
  await writeFile(`${file}.new`, String(until), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
