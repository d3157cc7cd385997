import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPaths } from '../../src/system/paths.ts';
import { run } from './run.ts';

/**
 * What the kernel still holds of a data directory: mounts, namespaces, links, nft tables, cgroups, processes.
 * Asked of the kernel, not of Wherry's records; empty after `down --purge`.
 */
export async function leftovers(data: string): Promise<string[]> {
  const { tag } = createPaths({ data });
  const ours = (line: string) => line.includes(data) || line.includes(tag);
  const [namespaces, links, tables] = await Promise.all([
    run('ip', ['netns', 'list']),
    run('ip', ['-o', 'link']),
    run('nft', ['list', 'tables']),
  ]);
  return [
    ...kind('mount', readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(ours)),
    ...kind('namespace', namespaces.stdout.split('\n').filter(ours)),
    ...kind('link', links.stdout.split('\n').filter(ours)),
    ...kind('nft table', tables.stdout.split('\n').filter(ours)),
    ...kind('cgroup', cgroups('/sys/fs/cgroup', 4).filter(ours)),
    ...kind('process', processes().filter(ours)),
  ];
}

const kind = (name: string, found: readonly string[]) => found.map(item => `${name}: ${item}`);

function cgroups(dir: string, depth: number): string[] {
  if (depth === 0) return [];
  return entries(dir).flatMap(entry => {
    if (!entry.isDirectory()) return [];
    const path = join(dir, entry.name);
    return [path, ...cgroups(path, depth - 1)];
  });
}

/** Command line and cgroups of every process but this one and its ancestors, whose command lines may name the folder too. */
function processes(): string[] {
  const mine = family();
  return entries('/proc').flatMap(({ name }) => {
    if (!/^\d+$/.test(name) || mine.has(Number(name))) return [];
    const command = text(`/proc/${name}/cmdline`).replaceAll('\0', ' ');
    return command ? [`${name} ${command} ${text(`/proc/${name}/cgroup`).replaceAll('\n', ' ')}`] : [];
  });
}

function family(): Set<number> {
  const found = new Set<number>();
  for (let pid = process.pid; pid > 1 && !found.has(pid); pid = parent(pid)) found.add(pid);
  return found;
}

/** Fourth field of /proc/PID/stat; the second, the name, may hold anything but ends at the last parenthesis. */
function parent(pid: number): number {
  return Number(text(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[1] ?? 0);
}

function entries(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true });
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
