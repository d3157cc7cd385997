import { existsSync, readFileSync } from 'node:fs';
import { exec } from './exec.ts';

/** Unmounts what is mounted at or below `folder`, deepest first; lazily, so that a straggler cannot stop it. */
export async function unmountBelow(folder: string): Promise<void> {
  const targets = mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), folder);
  if (targets.length > 0) await exec('umount', ['--lazy', ...targets], { timeout: 30_000 });
}

/** Mount points of a mountinfo text at or below `folder`, the last mounted first. */
export function mountsBelow(mountinfo: string, folder: string): readonly string[] {
  return mountinfo
    .split('\n')
    .map(line => line.split(' ')[4])
    .filter(target => target !== undefined)
    .map(target =>
      target.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    )
    .filter(target => target === folder || target.startsWith(`${folder}/`))
    .reverse();
}

export function isMounted(target: string): boolean {
  return (
    existsSync(target) && mountsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), target).includes(target)
  );
}
