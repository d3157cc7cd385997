import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import type { Quota } from '../../domain/quota.ts';
import type { GroupStats } from '../engine.ts';
import { type Driver, groupPath } from './driver.ts';
import { checkApplied, inUse } from './limits.ts';
import { readWhole } from './record.ts';

type Groups = Pick<Driver, 'cgroups' | 'cgroupRoot' | 'folders'>;

/** @throws invalid when the app uses more than that now; nothing changes then. */
export async function setQuota(driver: Groups, group: string, quota: Quota): Promise<void> {
  const path = groupPath(driver, group);
  driver.cgroups.make(path);
  checkRoom(driver, group, path, quota);
  applyQuota(driver, path, quota);
  checkApplied(driver.cgroups, path, quota);
  await mkdir(join(driver.folders.root, 'groups'), { recursive: true });
  await writeFile(quotaFile(driver, group), JSON.stringify(quota));
}

export function applyQuota(driver: Pick<Driver, 'cgroups'>, path: string, quota: Quota): void {
  driver.cgroups.setMemory(path, quota.memory);
  driver.cgroups.setPids(path, quota.pids);
}

/** The quota as last set: control groups do not outlive a reboot. */
export async function readQuota(driver: Groups, group: string): Promise<Quota | undefined> {
  return readWhole<Quota>(quotaFile(driver, group));
}

export function groupStats(driver: Groups, group: string): GroupStats {
  const path = groupPath(driver, group);
  const memory = driver.cgroups.memory(path);
  const pids = driver.cgroups.pids(path);
  return {
    memory: inUse(memory),
    memoryLimit: memory.limit,
    pids: pids.current,
    pidsLimit: pids.limit,
  };
}

export async function removeGroup(driver: Groups, group: string): Promise<void> {
  if (driver.cgroups.children(groupPath(driver, group)).length > 0) {
    throw new WherryError('conflict', `App ${group} still has instances. Remove them first.`);
  }
  driver.cgroups.remove(groupPath(driver, group));
  await rm(quotaFile(driver, group), { force: true });
}

function checkRoom(driver: Groups, group: string, path: string, quota: Quota): void {
  const used = inUse(driver.cgroups.memory(path));
  if (quota.memory !== null && quota.memory < used) {
    throw new WherryError(
      'invalid',
      `Memory quota ${formatBytes(quota.memory)} of app ${group} is below the ${formatBytes(used)} in use. Give more, or stop or scale down processes first.`,
    );
  }
}

function quotaFile(driver: Groups, group: string): string {
  return join(driver.folders.root, 'groups', `${group}.json`);
}
