import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPaths } from '../../src/system/paths.ts';

/** cgroup folders, of version 1's memory controller or version 2's only tree, that belong to a data directory. */
export function memoryGroups(data: string): string[] {
  const { tag } = createPaths({ data });
  return ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].flatMap(base =>
    folders(base, 5).filter(path => path.includes(tag) && memoryLimit(path) !== undefined),
  );
}

/** Memory limits, in bytes, that the kernel holds over the processes of a data directory's instances, one per group with processes. */
export function memoryLimitInKernel(data: string): number[] {
  const groups = memoryGroups(data).filter(path => text(join(path, 'cgroup.procs')).trim() !== '');
  return [...new Set(groups)].map(path => memoryLimit(path) ?? Number.POSITIVE_INFINITY);
}

/** Bytes that an instance may use by the kernel; undefined of one that has no control group. */
export function memoryLimitOf(data: string, id: string): number | undefined {
  const group = memoryGroups(data).find(path => path.endsWith(`/${id}`));
  return group === undefined ? undefined : memoryLimit(group);
}

function memoryLimit(group: string): number | undefined {
  const value = (text(join(group, 'memory.max')) || text(join(group, 'memory.limit_in_bytes'))).trim();
  if (value === '') return undefined;
  return value === 'max' ? Number.POSITIVE_INFINITY : Number(value);
}

function folders(dir: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .flatMap(entry => [join(dir, entry.name), ...folders(join(dir, entry.name), depth - 1)]);
  } catch {
    return [];
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
