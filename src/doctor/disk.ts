import { formatBytes } from '../domain/bytes.ts';
import { about, type Finding } from './finding.ts';
import type { Disk, Host } from './host.ts';

const { ok, warn, fail } = about('disk');
const mib = 2 ** 20;

export function checkDisks(host: Host, folders: readonly string[]): Finding[] {
  const disks = folders.flatMap(folder => {
    const disk = host.disk(folder);
    return disk ? [{ folder, disk }] : [];
  });
  const distinct = disks.filter(
    ({ disk }, at) => disks.findIndex(other => JSON.stringify(other.disk) === JSON.stringify(disk)) === at,
  );
  return distinct.flatMap(({ folder, disk }) => [space(folder, disk), ...inodes(folder, disk)]);
}

function space(folder: string, { bytes, bytesFree }: Disk): Finding {
  const message = `${formatBytes(bytesFree)} of ${formatBytes(bytes)} are free for ${folder}`;
  if (bytesFree < 500 * mib)
    return fail(
      message,
      'Pushes are refused soon. See disk:report, run cleanup, or give the host more disk.',
    );
  if (bytesFree < 2048 * mib || bytesFree < bytes / 20)
    return warn(message, 'See disk:report for who has it; cleanup frees what nothing needs.');
  return ok(message);
}

function inodes(folder: string, { inodes: all, inodesFree: free }: Disk): Finding[] {
  if (all === 0) return [];
  const message = `${free} of ${all} inodes are free for ${folder}`;
  const remedy = 'Too many small files: run cleanup, or make the file system anew with more inodes.';
  if (free < all / 50) return [fail(message, remedy)];
  return free < all / 10 ? [warn(message, remedy)] : [];
}
