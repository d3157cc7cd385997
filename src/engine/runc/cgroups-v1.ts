import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  makeTree,
  readChildren,
  readControl,
  readFigure,
  readNumber,
  readProcesses,
  removeTree,
  writeControl,
} from './cgroup-files.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import type { Cgroups } from './cgroups.ts';

const cpuPeriod = 100_000;
const usualShares = 1024;
const noLimit = -1;
/** v1 shows "no limit" as the largest number of pages; anything near it means none. */
const unlimitedFrom = 2 ** 60;

export function createCgroupsV1(layout: CgroupLayout & { version: 1 }): Cgroups {
  const { roots, every } = layout;
  const memoryAt = (path: string) => join(roots.memory, path);
  const pidsAt = (path: string) => join(roots.pids, path);
  const cpuAt = (path: string) => join(roots.cpu, path);
  const freezerAt = (path: string) => join(roots.freezer, path);
  const swapLimited = existsSync(join(roots.memory, 'memory.memsw.limit_in_bytes'));
  const cpuacct = every.find(root => existsSync(join(root, 'cpuacct.usage'))) ?? roots.cpu;
  const ours = [...new Set([roots.memory, roots.pids, roots.cpu, roots.freezer])];

  const setMemory = (path: string, bytes: number | null) => {
    const folder = memoryAt(path);
    const value = bytes ?? noLimit;
    const now = readNumber(folder, 'memory.limit_in_bytes') ?? unlimitedFrom;
    const files = ['memory.limit_in_bytes', ...(swapLimited ? ['memory.memsw.limit_in_bytes'] : [])];
    // Memory with swap may never be below memory: raise it first, lower it last.
    if (bytes === null || bytes > now) files.reverse();
    for (const file of files) writeControl(folder, file, value);
    if (!swapLimited && bytes !== null) writeControl(folder, 'memory.swappiness', 0);
  };

  return {
    swapLimited,
    make(path) {
      for (const root of ours) makeTree(root, path, () => {});
    },
    exists: path => existsSync(memoryAt(path)),
    setMemory,
    setPids: (path, most) => writeControl(pidsAt(path), 'pids.max', most ?? 'max'),
    setCpus(path, cpus) {
      writeControl(cpuAt(path), 'cpu.cfs_period_us', cpuPeriod);
      writeControl(
        cpuAt(path),
        'cpu.cfs_quota_us',
        cpus === undefined ? noLimit : Math.round(cpus * cpuPeriod),
      );
    },
    setCpuShare: (path, percent) =>
      writeControl(cpuAt(path), 'cpu.shares', Math.round((percent * usualShares) / 100)),
    memory(path) {
      const folder = memoryAt(path);
      const limit = readNumber(folder, 'memory.limit_in_bytes') ?? unlimitedFrom;
      return {
        usage: readNumber(folder, 'memory.usage_in_bytes') ?? 0,
        reclaimable:
          (readFigure(folder, 'memory.stat', 'total_active_file') ?? 0) +
          (readFigure(folder, 'memory.stat', 'total_inactive_file') ?? 0),
        peak: readNumber(folder, 'memory.max_usage_in_bytes') ?? 0,
        limit: limit >= unlimitedFrom ? null : limit,
      };
    },
    spare(path) {
      const figure = (key: string) => readFigure(memoryAt(path), 'memory.stat', `total_${key}`) ?? 0;
      const held = ['mapped_file', 'shmem', 'dirty', 'writeback'].reduce((sum, key) => sum + figure(key), 0);
      return Math.max(0, figure('cache') - held);
    },
    // Memory and swap share one limit, so that swap is allowed.
    allowSwap() {},
    // By force_empty everything would go, the program's own text too, and the wake would have to read it anew.
    async takeBack(path, bytes, limit) {
      const folder = memoryAt(path);
      const usage = readNumber(folder, 'memory.usage_in_bytes') ?? 0;
      try {
        await writeFile(join(folder, 'memory.limit_in_bytes'), String(Math.max(0, usage - bytes)));
      } finally {
        if (existsSync(folder)) setMemory(path, limit);
      }
    },
    pids: path => ({
      current: readNumber(pidsAt(path), 'pids.current') ?? 0,
      limit: readNumber(pidsAt(path), 'pids.max') ?? null,
      refused: readFigure(pidsAt(path), 'pids.events', 'max') ?? 0,
    }),
    cpu: path => Math.round((readNumber(join(cpuacct, path), 'cpuacct.usage') ?? 0) / 1000),
    kills: path => ({
      kills: readFigure(memoryAt(path), 'memory.oom_control', 'oom_kill') ?? 0,
      hits:
        (readNumber(memoryAt(path), 'memory.failcnt') ?? 0) +
        (readNumber(memoryAt(path), 'memory.memsw.failcnt') ?? 0),
    }),
    freeze: (path, frozen) => writeControl(freezerAt(path), 'freezer.state', frozen ? 'FROZEN' : 'THAWED'),
    frozen: path => (readControl(freezerAt(path), 'freezer.state') ?? 'THAWED') !== 'THAWED',
    processes: path => readProcesses(memoryAt(path)),
    children: path => readChildren(memoryAt(path)),
    shelter(path, pid) {
      // Only systemd's own hierarchy decides what a stopped service takes with it.
      const root = every.find(each => each.endsWith('/systemd'));
      if (root === undefined) return;
      makeTree(root, path, () => {});
      writeControl(join(root, path), 'cgroup.procs', pid);
    },
    remove(path) {
      for (const root of every) removeTree(join(root, path));
    },
  };
}
