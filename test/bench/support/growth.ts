import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mb, note } from '../report.ts';

/** MB by which a process, the builder in it, is larger at most while it builds an app of so many files. */
export async function growthOver(files: number): Promise<number> {
  const source = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  try {
    writeFiles(source, files);
    const child = fork(new URL('many-files.ts', import.meta.url).pathname, [source]);
    const ended = once(child, 'exit');
    const told = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
    await ended;
    const [{ before, most }] = (told ?? [{ before: Number.NaN, most: Number.NaN }]) as [
      { before: number; most: number },
    ];
    if (!(most >= before)) throw new Error('The process that builds many files ended without a result.');
    note(`${files} files: from ${mb(before)} to ${mb(most)}`);
    return most - before;
  } finally {
    rmSync(source, { recursive: true, force: true });
  }
}

function writeFiles(source: string, files: number): void {
  for (let index = 0; index < files; index += 1) {
    const folder = join(source, `folder-${index % 300}`);
    if (index < 300) mkdirSync(folder);
    writeFileSync(join(folder, `file-${index}`), `${index}`.repeat(40));
  }
  writeFileSync(join(source, 'index.html'), '');
}
