import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const needed = ['memory', 'pids', 'cpu'];
const { ok, fail } = about('cgroups');

/** Without controllers, limits would be empty words. */
export function checkCgroups(host: Host): Finding[] {
  const mounts = (host.read('/proc/mounts') ?? '').split('\n').map(line => line.split(' '));
  const v1 = mounts
    .filter(([, , type]) => type === 'cgroup')
    .flatMap(([, , , options]) => options?.split(',') ?? []);
  const unified = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  const isV1 = v1.includes('memory');
  const v2 =
    unified === undefined ? [] : (host.read(`${unified}/cgroup.controllers`) ?? '').trim().split(' ');
  const layout = isV1
    ? unified === undefined
      ? 'version 1'
      : 'hybrid: controllers on version 1'
    : 'version 2';
  const has = isV1 ? [...v1, ...(v1.includes('freezer') ? [] : ['no freezer'])] : v2;
  const missing = [...needed, ...(isV1 ? ['freezer'] : [])].filter(name => !has.includes(name));
  if (!isV1 && unified === undefined)
    return [fail('No control groups are mounted', 'Mount them: mount -t cgroup2 none /sys/fs/cgroup')];
  if (missing.length === 0) return [ok(`Control groups ${layout}`)];
  return [
    fail(
      `Control groups (${layout}) have no ${missing.join(', ')}, so that limits cannot be held`,
      missing.includes('memory')
        ? 'Start the kernel with cgroup_enable=memory.'
        : 'Start the kernel without cgroup_disable.',
    ),
  ];
}
