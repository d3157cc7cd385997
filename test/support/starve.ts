import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/**
 * Has the kernel kill a process for memory: in a control group of the test's own it gets not one page more.
 * @param busy gives it something to do, again and again, until it is gone
 */
export async function starve(pid: number, busy: () => Promise<unknown>): Promise<void> {
  const v1 = '/sys/fs/cgroup/memory';
  const isV1 = existsSync(v1);
  const group = join(isV1 ? v1 : '/sys/fs/cgroup', `faults-${pid}`);
  mkdirSync(group);
  try {
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    writeFileSync(join(group, isV1 ? 'memory.limit_in_bytes' : 'memory.max'), '4096');
    await until('the kernel to kill it', async () => {
      if (!isAlive(pid)) return true;
      await busy().catch(() => {});
      return false;
    });
  } finally {
    // Whatever it had started there goes back.
    for (const left of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean))
      writeFileSync(join(group, '..', 'cgroup.procs'), left);
    await until('the group to be empty', () => {
      rmdirSync(group);
      return true;
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
