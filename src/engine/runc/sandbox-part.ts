import { join, posix } from 'node:path';
import { exec } from '../../system/exec.ts';
import { isMounted } from '../../system/mounts.ts';
import type { SandboxSpec } from '../engine.ts';
import type { InstanceFolder } from './folders.ts';

/** Host folder that an overlay is mounted on, by its place among the sandbox's mounts. */
export function overlayTarget(folder: InstanceFolder, place: number): string {
  return join(folder.dir, `mount-${place}`);
}

/**
 * Lets a step write to one folder of an overlay that the sandbox sees read-only: bound onto itself on the host, the folder
 * reaches the sandbox as a mount of its own, which is writable. Returns the way to take it back. The folders directly below the
 * overlay belong to the caller: nothing in the sandbox can have put a link in the place of one.
 */
export async function openPart(
  { spec, folder }: { spec: SandboxSpec; folder: InstanceFolder },
  part: string,
): Promise<() => Promise<void>> {
  const place = spec.mounts.findIndex(mount => 'parts' in mount && mount.target === posix.dirname(part));
  if (place < 0) throw new Error(`${part} is not below a mount of parts`);
  const path = join(overlayTarget(folder, place), posix.basename(part));
  await exec('mount', ['--bind', path, path], { timeout: 30_000 });
  return async () => {
    if (isMounted(path)) await exec('umount', ['--lazy', path], { timeout: 30_000 });
  };
}

/** What is mounted below it on the host from now on is mounted in the sandbox too. */
export async function shareMount(target: string): Promise<void> {
  await exec('mount', ['--make-shared', target], { timeout: 30_000 });
}
