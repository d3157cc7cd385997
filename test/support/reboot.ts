import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPaths } from '../../src/system/paths.ts';
import { leftovers } from './leftovers.ts';
import { run } from './run.ts';
import { until } from './until.ts';

/**
 * What a power cut leaves of a data directory: its files. All its processes are killed, mounts, namespaces, links, tables and control
 * groups are taken away, and so is its part of /run; by the kernel's own tools, not by Wherry's.
 */
export async function pullThePlug(data: string): Promise<void> {
  const { tag } = createPaths({ data });
  // Several times: conmon or the edge may have been about to start another.
  await until('all processes to be gone', async () => {
    const pids = (await found(data, 'process')).map(line => Number(line.split(' ')[0]));
    for (const pid of pids) kill(pid);
    // The kernel lets a frozen process die only when it is thawed (version 1 of control groups).
    for (const group of await found(data, 'cgroup')) thaw(group);
    return pids.length === 0;
  });
  await until('all mounts to be gone', async () => {
    const points = (await found(data, 'mount')).map(mountPoint).reverse();
    for (const point of points) await run('umount', ['--lazy', point]);
    return points.length === 0;
  });
  for (const line of await found(data, 'namespace'))
    await run('ip', ['netns', 'delete', line.split(' ')[0] ?? '']);
  for (const line of await found(data, 'link'))
    await run('ip', ['link', 'delete', /^\d+: ([^:@]+)/.exec(line)?.[1] ?? '']);
  for (const line of await found(data, 'nft table')) await run('nft', ['delete', ...line.trim().split(' ')]);
  await until('all control groups to be gone', async () => {
    const groups = (await found(data, 'cgroup')).sort((one, other) => other.length - one.length);
    for (const group of groups) await run('rmdir', [group]);
    return groups.length === 0;
  });
  rmSync(`/run/wherry-${tag}`, { recursive: true, force: true });
  const left = (await leftovers(data)).filter(line => !line.startsWith('process: '));
  if (left.length > 0) throw new Error(`A reboot would have taken these too:\n${left.join('\n')}`);
}

async function found(data: string, kind: string): Promise<string[]> {
  const start = `${kind}: `;
  return (await leftovers(data)).filter(line => line.startsWith(start)).map(line => line.slice(start.length));
}

/** Fifth field of a line of mountinfo, with its octal escapes (proc(5)). */
function mountPoint(line: string): string {
  return (line.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 8)),
  );
}

function thaw(group: string): void {
  const state = join(group, 'freezer.state');
  if (existsSync(state)) writeFileSync(state, 'THAWED');
}

function kill(pid: number): void {
  try {
    // A number is given to another process only after thousands of others.
    if (readFileSync(`/proc/${pid}/stat`, 'utf8') !== '') process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}
