import type { Host } from '../../src/doctor/host.ts';

const gib = 2 ** 30;
export const files: Readonly<Record<string, string>> = {
  '/proc/filesystems': 'nodev\tsysfs\nnodev\toverlay\n\text4\n',
  '/proc/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n',
  '/proc/meminfo':
    'MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\nSwapTotal: 1000000 kB\nSwapFree: 900000 kB\n',
};

/** A host where all is well and nothing listens but what `greetings` says, by port. */
export function healthyHost(
  changes: Partial<Host> & {
    readonly files?: Readonly<Record<string, string | undefined>>;
    readonly greetings?: Readonly<Record<number, string>>;
  } = {},
): Host {
  const all: Readonly<Record<string, string | undefined>> = { ...files, ...changes.files };
  return {
    kernel: '6.1.0-18-amd64',
    node: '20.20.2',
    uid: 0,
    read: path => all[path],
    rights: () => ({ uid: 0, mode: 0o700 }),
    disk: () => ({ bytes: 100 * gib, bytesFree: 50 * gib, inodes: 1000, inodesFree: 500 }),
    version: async program => `${program} version 1.2.3\nmore\n`,
    addresses: () => ['192.0.2.1', '2001:db8::1'],
    resolve: async () => ['192.0.2.1'],
    greeting: async ({ port }) => changes.greetings?.[port],
    refusal: async () => undefined,
    clockAhead: async () => 300,
    ...changes,
  };
}
