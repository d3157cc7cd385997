import type { Stats } from '../engine.ts';
import { diskUse } from './disk.ts';
import type { Driver, Living } from './driver.ts';
import { inUse } from './limits.ts';

/** Zeros for one that does not run: its control group is gone. */
export async function readStats(driver: Driver, living: Living): Promise<Stats> {
  const disk = await diskUse(living);
  const { cgroups } = driver;
  const { cgroup, record } = living;
  const memory = cgroups.memory(cgroup);
  const pids = cgroups.pids(cgroup);
  return {
    memory: inUse(memory),
    memoryPeak: memory.peak,
    memoryLimit: memory.limit ?? record.spec.limits.memory,
    pids: pids.current,
    pidsLimit: pids.limit ?? record.spec.limits.pids,
    cpu: cgroups.cpu(cgroup),
    oomKills: cgroups.kills(cgroup).kills,
    ...(disk && { disk: { used: disk.used, limit: disk.size } }),
  };
}
