import type { Tmpfs, Ulimit } from '../../domain/docker-run-option.ts';
import type { UserIds } from '../../domain/image.ts';
import type { Limits } from '../../domain/quota.ts';
import type { TerminalSize } from '../../domain/terminal.ts';
import type { Mount } from '../engine.ts';
import { seccompProfile } from './seccomp.ts';
import type { UserMapping } from './user-mapping.ts';

/** `follows`: what is mounted below the source later on the host is mounted inside too. */
export type BoundMount = Mount & { readonly follows?: true };

export type BundleSpec = {
  readonly hostname: string;
  readonly rootfs: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: UserIds;
  readonly limits: Limits;
  /** Relative CPU share; 1024 is neutral, the kernel's own default. */
  readonly cpuShares?: number;
  readonly mounts: readonly BoundMount[];
  readonly tmpfs?: readonly Tmpfs[] | undefined;
  /** No higher than ours: raising may be forbidden here. */
  readonly ulimits?: readonly Ulimit[] | undefined;
  /** Bytes of /dev/shm. */
  readonly shm?: number | undefined;
  readonly readonlyRoot?: true | undefined;
  /** A user namespace that is ready, and the host ids of who is in it; it owns a network namespace that is ready, which is set up too. */
  readonly users?: Pick<UserMapping, 'namespace' | 'ids'> | undefined;
  /** Path of a network namespace that is ready, or none: a new one with loopback alone. */
  readonly netns?: string;
  readonly cgroupsPath: string;
  readonly oomScoreAdj: number;
  readonly ipv6: boolean;
  /** Whether container tools run inside, which mount. */
  readonly nested?: boolean;
  /** Whether the kernel can account swap. */
  readonly swapLimited: boolean;
};

const cpuPeriod = 100_000;

/** Capabilities of the platform's own package steps in a sandbox: what dpkg and apt need, nothing more. */
export const packageCapabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
] as const;

/** Of the platform's own builder of images, which mounts the layers it works on and lowers itself what it runs of an app. */
export const nestedCapabilities = [
  ...packageCapabilities,
  'CAP_DAC_READ_SEARCH',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_SYS_ADMIN',
] as const;

/** The OCI runtime configuration of an instance or a sandbox. */
export function bundleConfig(spec: BundleSpec) {
  return {
    ociVersion: '1.0.2',
    hostname: spec.hostname,
    root: { path: spec.rootfs, readonly: spec.readonlyRoot ?? false },
    process: { ...ociProcess({ ...spec, capabilities: [] }), oomScoreAdj: spec.oomScoreAdj },
    mounts: [...systemMounts(spec.shm), ...(spec.tmpfs ?? []).map(tmpfsMount), ...spec.mounts.map(bindMount)],
    linux: {
      cgroupsPath: spec.cgroupsPath,
      resources: resources(spec),
      namespaces: [
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'uts' },
        { type: 'mount' },
        { type: 'cgroup' },
        { type: 'network', ...(spec.netns === undefined ? {} : { path: spec.netns }) },
        ...(spec.users ? [{ type: 'user', path: spec.users.namespace }] : []),
      ],
      ...(spec.users && idMappings(spec.users)),
      ...(spec.users && spec.netns !== undefined ? {} : { sysctl: sysctls(spec.ipv6) }),
      ...(spec.nested ? {} : { seccomp: seccompProfile() }),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** The OCI process object, for a bundle and for `runc exec`. */
export function ociProcess(options: {
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  workingDir: string;
  user: UserIds;
  capabilities: readonly string[];
  ulimits?: readonly Ulimit[] | undefined;
  terminal?: TerminalSize | undefined;
}) {
  const { capabilities, terminal, ulimits = [] } = options;
  const asksForDumps = ulimits.some(({ name }) => name === 'core');
  return {
    terminal: terminal !== undefined,
    ...(terminal && { consoleSize: { height: terminal.rows, width: terminal.columns } }),
    user: { uid: options.user.uid, gid: options.user.gid, umask: 0o022 },
    args: options.argv,
    env: Object.entries({ PATH: defaultPath, ...options.env }).map(([key, value]) => `${key}=${value}`),
    cwd: options.workingDir,
    rlimits: [...(asksForDumps ? [] : [noDumps]), ...ulimits].map(rlimit),
    noNewPrivileges: true,
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      inheritable: [],
      ambient: [],
    },
  };
}

/** What is in memory would be on disk: config, too. */
const noDumps: Ulimit = { name: 'core', soft: 0, hard: 0 };

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function resources({ limits, cpuShares, swapLimited }: BundleSpec) {
  return {
    devices: [{ allow: false, access: 'rwm' }],
    // The swap figure is memory and swap together: equal means no swap.
    memory: { limit: limits.memory, ...(swapLimited ? { swap: limits.memory } : { swappiness: 0 }) },
    pids: { limit: limits.pids },
    cpu: {
      ...(cpuShares === undefined ? {} : { shares: cpuShares }),
      ...(limits.cpus === undefined ? {} : { quota: Math.round(limits.cpus * cpuPeriod), period: cpuPeriod }),
    },
  };
}

function sysctls(ipv6: boolean): Record<string, string> {
  return {
    'net.ipv4.ip_unprivileged_port_start': '0',
    ...(ipv6 ? { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' } : {}),
  };
}

/** Those of the namespace, which the runtime wants to be told. */
function idMappings({ ids }: Pick<UserMapping, 'ids'>) {
  const mapping = [{ containerID: 0, hostID: ids.first, size: ids.count }];
  return { uidMappings: mapping, gidMappings: mapping };
}

function bindMount(mount: BoundMount) {
  const options = [
    'rbind',
    mount.follows ? 'rslave' : 'rprivate',
    'nosuid',
    'nodev',
    mount.readonly ? 'ro' : 'rw',
  ];
  return { destination: mount.target, type: 'bind', source: mount.source, options };
}

/** Without a size, what memory its instance may use. */
function tmpfsMount({ target, size, mode = '1777' }: Tmpfs) {
  const options = ['nosuid', 'nodev', `mode=${mode}`, ...(size === undefined ? [] : [`size=${size}`])];
  return { destination: target, type: 'tmpfs', source: 'tmpfs', options };
}

function rlimit({ name, soft, hard }: Ulimit) {
  return { type: `RLIMIT_${name.toUpperCase()}`, soft, hard };
}

const usualShm = 64 * 2 ** 20;

const systemMounts = (shm = usualShm) => [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=64k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shm}`],
  },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  {
    destination: '/sys/fs/cgroup',
    type: 'cgroup',
    source: 'cgroup',
    options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'],
  },
];

const maskedPaths = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
