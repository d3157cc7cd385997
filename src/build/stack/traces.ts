import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { list } from '../../system/list.ts';

const files = [
  'etc/machine-id',
  'etc/hostname',
  'etc/resolv.conf',
  'etc/apt/apt.conf.d/99mmdebstrap',
  'etc/apt/apt.conf.d/99wherry',
  'usr/sbin/policy-rc.d',
  'var/lib/dbus/machine-id',
  'var/lib/dpkg/status-old',
  'var/lib/dpkg/diversions-old',
  'var/lib/dpkg/statoverride-old',
  'var/cache/debconf/config.dat-old',
  'var/cache/debconf/templates.dat-old',
  'var/cache/ldconfig/aux-cache',
];
const folders = ['var/lib/apt/lists', 'var/cache/apt', 'var/log', 'tmp', 'run'];

/** Takes out of a layer what tells of this host or of the moment: mirror, resolver, ids, package lists, logs. */
export function removeTraces(root: string): void {
  for (const file of files) rmSync(join(root, file), { force: true });
  for (const folder of folders) {
    for (const name of list(join(root, folder))) rmSync(join(root, folder, name), { recursive: true });
  }
}
