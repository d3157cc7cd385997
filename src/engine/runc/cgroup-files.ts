import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Text of a control file; undefined when the group or the file is not there. */
export function readControl(folder: string, file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

export function readNumber(folder: string, file: string): number | undefined {
  const text = readControl(folder, file);
  return text === undefined || text === 'max' ? undefined : Number(text);
}

/** One figure of a `key value` file such as memory.stat. */
export function readFigure(folder: string, file: string, key: string): number | undefined {
  const match = new RegExp(`^${key} (\\d+)$`, 'm').exec(readControl(folder, file) ?? '');
  return match ? Number(match[1]) : undefined;
}

export function writeControl(folder: string, file: string, value: string | number): void {
  writeFileSync(join(folder, file), String(value));
}

export function readProcesses(folder: string): readonly number[] {
  const text = readControl(folder, 'cgroup.procs') ?? '';
  return text === '' ? [] : text.split('\n').map(Number);
}

export function readChildren(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name);
}

/** Removes a group's folder and those below it, deepest first. What is gone already is no error. */
export function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readChildren(folder)) removeTree(join(folder, name));
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Makes the folders from `root` down to `path` and calls `onMade` for each that is new, top first. */
export function makeTree(root: string, path: string, onMade: (folder: string) => void): void {
  const folder = join(root, path);
  if (existsSync(folder)) return;
  if (dirname(path) !== '/') makeTree(root, dirname(path), onMade);
  mkdirSync(folder, { recursive: true });
  onMade(folder);
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
