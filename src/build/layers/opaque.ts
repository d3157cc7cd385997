import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar-stream';
import { exec } from '../../system/exec.ts';
import { walk } from './walk.ts';

const mark = 'trusted.overlay.opaque';

/**
 * Folders of an overlay's upper that hide what their lowers hold: deleted and made again in the build. overlayfs says so in an
 * extended attribute, which Node cannot read but GNU tar can. Only folders that exist in a lower are asked for.
 */
export async function opaqueFolders(upper: string, lowers: readonly string[]): Promise<ReadonlySet<string>> {
  const asked: string[] = [];
  for (const { path, stats } of walk(upper)) {
    if (stats.isDirectory() && lowers.some(lower => isFolder(join(lower, path)))) asked.push(path);
  }
  if (asked.length === 0) return new Set();
  const args = [
    '--create',
    '--no-recursion',
    '--xattrs',
    `--xattrs-include=${mark}`,
    '--null',
    '--files-from=-',
  ];
  const options = { cwd: upper, input: `${asked.join('\0')}\0`, maxOutput: 2 ** 28 };
  const { stdout } = await exec('tar', args, options);
  return await readMarks(Buffer.from(stdout));
}

async function readMarks(archive: Buffer): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const records = (entry.header.pax ?? {}) as Readonly<Record<string, string>>;
    if (records[`SCHILY.xattr.${mark}`] === 'y') found.add(entry.header.name.replace(/\/$/, ''));
    entry.resume();
  }
  return found;
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
