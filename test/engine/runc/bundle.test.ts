import { describe, expect, test } from 'vitest';
import { bundleConfig } from '../../../src/engine/runc/bundle.ts';
import { conmonArguments } from '../../../src/engine/runc/conmon.ts';
import { createFolders } from '../../../src/engine/runc/folders.ts';
import { whoseLimit } from '../../../src/engine/runc/memory-kills.ts';
import { overlayOptions } from '../../../src/engine/runc/overlay.ts';
import { seccompProfile } from '../../../src/engine/runc/seccomp.ts';
import { mountsBelow } from '../../../src/system/mounts.ts';

const mib = 2 ** 20;
const config = bundleConfig({
  hostname: 'web-1',
  rootfs: '/r',
  argv: ['true'],
  env: { PORT: '5000' },
  workingDir: '/app',
  user: { uid: 1000, gid: 1000 },
  limits: { memory: 64 * mib, pids: 5, cpus: 0.5 },
  mounts: [{ source: '/s', target: '/t', readonly: true }],
  netns: '/run/netns/x',
  cgroupsPath: '/wherry-1/blog/x',
  oomScoreAdj: 0,
  ipv6: true,
  swapLimited: true,
});

describe('the bundle of an instance', () => {
  test('limits memory with swap, processes and CPU', () => {
    expect(config.linux.resources).toMatchObject({
      memory: { limit: 64 * mib, swap: 64 * mib },
      pids: { limit: 5 },
      cpu: { quota: 50_000, period: 100_000 },
    });
  });

  test('gives no capability and raises no limit of the host', () => {
    expect(new Set(Object.values(config.process.capabilities).flat())).toEqual(new Set());
    expect(config.process.noNewPrivileges).toBe(true);
    expect(config.process.rlimits).toEqual([{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }]);
  });

  test('has namespaces of its own', () => {
    expect(config.linux.namespaces.map(({ type }) => type).sort()).toEqual([
      'cgroup',
      'ipc',
      'mount',
      'network',
      'pid',
      'uts',
    ]);
  });

  test('mounts read-only what is to be read only', () => {
    expect(config.mounts.find(mount => mount.destination === '/t')?.options).toContain('ro');
    expect(config.mounts.find(mount => mount.destination === '/sys')?.options).toContain('ro');
  });
});

describe('the seccomp profile', () => {
  const rules = seccompProfile('x64').syscalls;
  const plainlyAllowed = new Set(
    rules.filter(rule => !('args' in rule) && rule.action === 'SCMP_ACT_ALLOW').flatMap(rule => rule.names),
  );

  test.each([
    'mount',
    'umount2',
    'unshare',
    'setns',
    'pivot_root',
    'keyctl',
    'add_key',
    'request_key',
    'bpf',
    'perf_event_open',
    'userfaultfd',
    'kexec_load',
    'init_module',
    'finit_module',
    'delete_module',
    'open_by_handle_at',
    'io_uring_setup',
    'reboot',
    'swapon',
    'settimeofday',
    'clock_settime',
    'fsopen',
    'move_mount',
    'open_tree',
    'clone',
    'clone3',
    'socket',
    'personality',
    'syslog',
    'acct',
    'quotactl',
  ])('does not simply allow %s', name => {
    expect(plainlyAllowed.has(name)).toBe(false);
  });

  test.each(['read', 'execve', 'futex', 'epoll_pwait2', 'clone', 'socket'])(
    'allows %s in some form',
    name => {
      expect(rules.some(rule => rule.action === 'SCMP_ACT_ALLOW' && rule.names.includes(name))).toBe(true);
    },
  );

  test('names no system call twice', () => {
    const names = rules.filter(rule => !('args' in rule)).flatMap(rule => rule.names);
    expect(names.length).toBe(new Set(names).size);
  });
});

test('conmon creates and starts in one call of runc', () => {
  const folders = createFolders('/data/engine');
  const args = conmonArguments({
    id: 'a',
    folders,
    folder: folders.instance('a'),
    runtime: ['/usr/sbin/runc', '--root=/data/engine/runc'],
    logFile: '/data/logs/a.log',
  });
  expect(args.slice(-4)).toEqual([
    '--runtime-arg=--root=/data/engine/runc',
    '--runtime-arg=run',
    '--runtime-arg=--detach',
    '--runtime-arg=--bundle',
  ]);
});

describe('overlay mounts', () => {
  test("thirty layers fit into the kernel's page of options, the top one first", () => {
    expect(overlayOptions(3)).toBe('lowerdir=2:1:0,upperdir=upper,workdir=work');
    expect(overlayOptions(30).length).toBeLessThan(4096);
  });

  test('those at or below a folder are found, the last one first', () => {
    const text = ['/a', '/a/b', '/ab', '/a/with\\040blank']
      .map(at => `1 2 0:3 / ${at} rw - overlay o rw`)
      .join('\n');
    expect(mountsBelow(text, '/a')).toEqual(['/a/with blank', '/a/b', '/a']);
  });
});

describe('whose memory limit was met', () => {
  const use = (peak: number, limit: number | null) => ({
    usage: 0,
    reclaimable: 0,
    peak: peak * mib,
    limit: limit === null ? null : limit * mib,
  });

  test.each([
    ["the instance's, when the app has none", use(64, 64), use(64, null), false, 'instance'],
    ["the instance's, when the app stayed below its own", use(64, 64), use(64, 128), false, 'instance'],
    ["the app's, when the instance stayed below its own", use(30, 64), use(128, 128), true, 'group'],
    ["the app's, when cache once filled the instance", use(64, 64), use(128, 128), false, 'group'],
    [
      "the instance's, when both are full and it was refused just now",
      use(64, 64),
      use(128, 128),
      true,
      'instance',
    ],
  ] as const)('%s', (_, own, group, hitLately, scope) => {
    expect(whoseLimit(own, group, hitLately)).toBe(scope);
  });
});
