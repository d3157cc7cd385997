import { describe, expect, test } from 'vitest';
import { parseCgroupLayout } from '../../../src/engine/runc/cgroup-layout.ts';

const v1Mounts = `22 27 0:21 / /proc rw,relatime - proc proc rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd`;
const v1Self = '5:name=systemd:/\n4:memory:/user/me\n3:cpu,cpuacct:/\n2:freezer:/\n1:pids:/\n';
const unified = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';

describe('parseCgroupLayout', () => {
  test('finds the hierarchies of version 1, those mounted together too', () => {
    expect(parseCgroupLayout(v1Mounts, v1Self)).toEqual({
      version: 1,
      roots: {
        memory: '/sys/fs/cgroup/memory',
        pids: '/sys/fs/cgroup/pids',
        cpu: '/sys/fs/cgroup/cpu,cpuacct',
        freezer: '/sys/fs/cgroup/freezer',
      },
      every: [
        '/sys/fs/cgroup/cpu,cpuacct',
        '/sys/fs/cgroup/memory',
        '/sys/fs/cgroup/freezer',
        '/sys/fs/cgroup/pids',
        '/sys/fs/cgroup/systemd',
      ],
    });
  });

  test('takes a hybrid host, whose controllers are on version 1, for version 1', () => {
    const layout = parseCgroupLayout(`${v1Mounts}\n${unified}`, `${v1Self}0::/user/me\n`);
    expect(layout.version).toBe(1);
    expect(layout.every).toContain('/sys/fs/cgroup/unified');
  });

  test('finds version 2 alone', () => {
    const mounts = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate';
    expect(parseCgroupLayout(mounts, '0::/system.slice/wherry.service\n')).toEqual({
      version: 2,
      root: '/sys/fs/cgroup',
      every: ['/sys/fs/cgroup'],
    });
  });

  test('does not believe a version 1 mount whose controller the kernel has moved to version 2', () => {
    const mounts = `${v1Mounts}\n${unified}`;
    expect(parseCgroupLayout(mounts, '0::/\n3:cpu,cpuacct:/\n')).toMatchObject({
      version: 2,
      root: '/sys/fs/cgroup/unified',
    });
  });

  test('reads blanks in mount points', () => {
    const mounts = '30 23 0:26 / /sys/fs/my\\040groups rw - cgroup2 none rw';
    expect(parseCgroupLayout(mounts, '0::/\n')).toMatchObject({ root: '/sys/fs/my groups' });
  });

  test.each([
    ['nothing is mounted', '', '0::/\n', 'memory'],
    ['one of the needed hierarchies is missing', v1Mounts.replace(/.*freezer.*\n/, ''), v1Self, 'freezer'],
  ])('refuses a host where %s', (_, mounts, self, named) => {
    expect(() => parseCgroupLayout(mounts, self)).toThrow(
      expect.objectContaining({ code: 'unavailable', message: expect.stringContaining(named) }),
    );
  });
});
