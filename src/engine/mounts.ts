import { existsSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { WherryError } from '../domain/errors.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Mount } from './engine.ts';

/** What the kernel and the platform put inside themselves. */
const reserved = ['/proc', '/sys', '/dev', '/.wherry', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'];

/** Paths of the host that an instance is to see, before any of it is made. @throws invalid */
export function checkMounts(
  mounts: readonly Mount[],
  tmpfs: readonly { readonly target: string }[] = [],
): void {
  const targets = new Set<string>();
  for (const { source } of mounts)
    if (!isPlain(source) || !existsSync(source))
      throw refused(source, 'is not there to be mounted. Make it first, and give its absolute path');
  for (const { target } of [...mounts, ...tmpfs]) {
    if (!isPlain(target) || target === '/')
      throw refused(target, 'is no place to mount at. Give an absolute path below /');
    if (reserved.some(path => target === path || target.startsWith(`${path}/`)))
      throw refused(target, "is the platform's own. Mount elsewhere");
    if (targets.has(target)) throw refused(target, 'is mounted at twice. Give each mount its own path');
    targets.add(target);
  }
}

/** Absolute, and written in the one way there is: nothing to be resolved. */
function isPlain(path: string): boolean {
  return isAbsolute(path) && normalize(path) === path && !/[\0\n]/.test(path) && !/.\/$/.test(path);
}

function refused(path: string, why: string): WherryError {
  return new WherryError('invalid', `Path ${quoteForPeople(path)} ${why}.`);
}
