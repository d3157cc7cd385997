import { readFile } from 'node:fs/promises';
import { isErrno } from './cgroup-files.ts';
import type { Driver, Living } from './driver.ts';

/** Bytes at a time: a wake waits for the step that is under way, and none takes long. */
const stepBytes = 8 * 2 ** 20;
/** Bytes that are not worth a step. */
const least = 2 ** 20;

/**
 * Gives the host the memory of a frozen instance that its wake does not need: files that it read and has not mapped, and, where the
 * host has swap, memory that it has not touched for long. What it runs in stays, so that it goes on at once. @returns bytes
 */
export async function reclaim(driver: Driver, living: Living, signal: AbortSignal): Promise<number> {
  const { cgroups } = driver;
  const { cgroup: path, record } = living;
  const swap = await hasSwap();
  const before = cgroups.memory(path).usage;
  if (swap) cgroups.allowSwap(path);
  for (let left = cgroups.spare(path, swap); left >= least && !signal.aborted; left -= stepBytes) {
    const bytes = Math.min(stepBytes, left);
    if (!(await stepDone(cgroups.takeBack(path, bytes, record.spec.limits.memory)))) break;
  }
  return Math.max(0, before - cgroups.memory(path).usage);
}

/** The kernel says so when it found less than was asked for; a kernel that cannot has no such file; an instance may be removed. */
async function stepDone(step: Promise<void>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if (isErrno(error, 'EAGAIN', 'EBUSY', 'ENOENT', 'ENODEV')) return false;
    throw error;
  }
}

async function hasSwap(): Promise<boolean> {
  const text = await readFile('/proc/swaps', 'utf8').catch(() => '');
  return text.trim().split('\n').length > 1;
}
