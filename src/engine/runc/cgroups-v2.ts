import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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

export function createCgroupsV2(layout: CgroupLayout & { version: 2 }): Cgroups {
  const { root, every } = layout;
  const at = (path: string) => join(root, path);
  /** A controller works in a group only when the group above hands it down. */
  const handDown = (folder: string) => {
    const available = readControl(folder, 'cgroup.controllers')?.split(' ') ?? [];
    const enabled = readControl(folder, 'cgroup.subtree_control')?.split(' ') ?? [];
    const wanted = ['memory', 'pids', 'cpu'].filter(
      name => available.includes(name) && !enabled.includes(name),
    );
    if (wanted.length > 0) {
      writeControl(folder, 'cgroup.subtree_control', wanted.map(name => `+${name}`).join(' '));
    }
  };

  return {
    swapLimited: true,
    make: path => makeTree(root, path, folder => handDown(dirname(folder))),
    exists: path => existsSync(at(path)),
    setMemory(path, bytes) {
      writeControl(at(path), 'memory.max', bytes ?? 'max');
      if (existsSync(join(at(path), 'memory.swap.max'))) {
        writeControl(at(path), 'memory.swap.max', bytes === null ? 'max' : 0);
      }
    },
    setPids: (path, most) => writeControl(at(path), 'pids.max', most ?? 'max'),
    setCpus: (path, cpus) =>
      writeControl(
        at(path),
        'cpu.max',
        `${cpus === undefined ? 'max' : Math.round(cpus * cpuPeriod)} ${cpuPeriod}`,
      ),
    // The usual weight is 100.
    setCpuShare: (path, percent) => writeControl(at(path), 'cpu.weight', Math.max(1, Math.round(percent))),
    memory(path) {
      const usage = readNumber(at(path), 'memory.current') ?? 0;
      return {
        usage,
        reclaimable:
          (readFigure(at(path), 'memory.stat', 'active_file') ?? 0) +
          (readFigure(at(path), 'memory.stat', 'inactive_file') ?? 0),
        // memory.peak came with Linux 5.19; before it the present use is all there is.
        peak: readNumber(at(path), 'memory.peak') ?? usage,
        limit: readNumber(at(path), 'memory.max') ?? null,
      };
    },
    spare(path, swap) {
      const figure = (key: string) => readFigure(at(path), 'memory.stat', key) ?? 0;
      const held = ['file_mapped', 'shmem', 'file_dirty', 'file_writeback'].reduce(
        (sum, key) => sum + figure(key),
        0,
      );
      return Math.max(0, figure('file') - held) + (swap ? figure('inactive_anon') : 0);
    },
    allowSwap(path) {
      if (existsSync(join(at(path), 'memory.swap.max'))) writeControl(at(path), 'memory.swap.max', 'max');
    },
    // Opened to be written, never made: before Linux 5.19 there is no such file.
    takeBack: (path, bytes) => writeFile(join(at(path), 'memory.reclaim'), String(bytes), { flag: 'r+' }),
    pids: path => ({
      current: readNumber(at(path), 'pids.current') ?? 0,
      limit: readNumber(at(path), 'pids.max') ?? null,
      refused: readFigure(at(path), 'pids.events', 'max') ?? 0,
    }),
    cpu: path => readFigure(at(path), 'cpu.stat', 'usage_usec') ?? 0,
    kills: path => ({
      kills: readFigure(at(path), 'memory.events', 'oom_kill') ?? 0,
      hits: readFigure(at(path), 'memory.events.local', 'oom') ?? 0,
    }),
    freeze: (path, frozen) => writeControl(at(path), 'cgroup.freeze', frozen ? 1 : 0),
    frozen: path => readControl(at(path), 'cgroup.freeze') === '1',
    processes: path => readProcesses(at(path)),
    children: path => readChildren(at(path)),
    shelter(path, pid) {
      makeTree(root, path, () => {});
      writeControl(at(path), 'cgroup.procs', pid);
    },
    remove(path) {
      for (const each of every) removeTree(join(each, path));
    },
  };
}
