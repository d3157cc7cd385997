import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import type { Limits, Quota } from '../../domain/quota.ts';
import type { Cgroups, MemoryUse } from './cgroups.ts';
import { type Driver, displayName, type Living } from './driver.ts';
import { limitCgroup, writeBundle } from './prepare.ts';
import { writeRecord } from './record.ts';

/** The kernel keeps whole pages; the largest page size of Linux hosts. */
const largestPage = 65_536;

/** Bytes in use that cannot simply be dropped. */
export function inUse(memory: MemoryUse): number {
  return Math.max(0, memory.usage - memory.reclaimable);
}

/**
 * Changes the limits of an instance in the kernel at once, and for its next start.
 * @throws invalid when memory is below what is in use; nothing changes then.
 */
export async function updateLimits(driver: Driver, living: Living, limits: Limits): Promise<void> {
  const { record, cgroup, folder } = living;
  if (driver.cgroups.exists(cgroup)) {
    checkRoom(driver, living, limits);
    applyOrRestore(driver, living, limits);
  }
  const { disk } = record.spec.limits;
  living.record = { ...record, spec: { ...record.spec, limits: withItsDisk(limits, disk) } };
  await writeBundle(driver, living);
  await writeRecord(folder.record, living.record);
}

/** Its file system is as large as it was made. */
function withItsDisk({ disk: _asked, ...limits }: Limits, disk: number | undefined): Limits {
  return { ...limits, ...(disk === undefined ? {} : { disk }) };
}

/** @throws failed when the kernel does not show what was written. */
export function checkApplied(cgroups: Cgroups, path: string, limits: Limits | Quota): void {
  const memory = cgroups.memory(path).limit;
  const pids = cgroups.pids(path).limit;
  const memoryFits =
    memory === limits.memory ||
    (memory !== null && limits.memory !== null && Math.abs(memory - limits.memory) < largestPage);
  if (!memoryFits || pids !== limits.pids) {
    throw new WherryError(
      'failed',
      `The kernel did not take the limits of ${path}: it shows memory ${memory} and processes ${pids}.`,
    );
  }
}

function checkRoom(driver: Driver, living: Living, limits: Limits): void {
  const used = inUse(driver.cgroups.memory(living.cgroup));
  if (limits.memory < used) throw belowUse(living, limits.memory, used);
}

function applyOrRestore(driver: Driver, living: Living, limits: Limits): void {
  try {
    limitCgroup(driver, living.cgroup, limits);
    checkApplied(driver.cgroups, living.cgroup, limits);
  } catch (error) {
    limitCgroup(driver, living.cgroup, living.record.spec.limits);
    const used = inUse(driver.cgroups.memory(living.cgroup));
    // The kernel refuses a limit that it cannot bring the use under, even when the sum looked right a moment ago.
    if (limits.memory < used) throw belowUse(living, limits.memory, used);
    throw error;
  }
}

function belowUse(living: Living, wanted: number, used: number): WherryError {
  return new WherryError(
    'invalid',
    `Memory limit ${formatBytes(wanted)} of ${displayName(living.record.spec)} is below the ${formatBytes(used)} in use. Give more, or restart it with less to do.`,
  );
}
