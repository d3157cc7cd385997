import { readFileSync } from 'node:fs';
import type { Clock } from '../../system/clock.ts';
import { isErrno } from './cgroup-files.ts';

/** Whether `pid` is a living process inside the control group `path`: numbers are used again, groups are ours alone. */
export function livesIn(pid: number, path: string): boolean {
  const groups = readProc(pid, 'cgroup');
  if (groups === undefined || !groups.split('\n').some(line => line.endsWith(`:${path}`))) return false;
  return !isZombie(pid);
}

/** Whether `pid` is a process whose arguments contain all of `words`. */
export function runsAs(pid: number, words: readonly string[]): boolean {
  const args = readProc(pid, 'cmdline')?.split('\0') ?? [];
  return words.every(word => args.includes(word)) && !isZombie(pid);
}

/** Nothing happens when the process is gone. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Asks every 5 ms, then more seldom, until `condition` holds. Returns false after `timeout` milliseconds. */
export async function until(clock: Clock, timeout: number, condition: () => boolean): Promise<boolean> {
  const end = clock.ticks() + timeout;
  for (let pause = 5; !condition(); pause = Math.min(pause * 2, 100)) {
    if (clock.ticks() >= end) return false;
    await clock.sleep(pause);
  }
  return true;
}

/** Which session a process is in: every program that is run inside a container leads one of its own. */
export function sessionOf(pid: number): number | undefined {
  const session = /^\d+ \(.*\) \S+ \d+ \d+ (\d+)/s.exec(readProc(pid, 'stat') ?? '')?.[1];
  return session === undefined ? undefined : Number(session);
}

/** Whether it is on its way out: the first process of a namespace is there until the kernel has killed all others of it. */
export function isEnding(pid: number): boolean {
  const flags = /^\d+ \(.*\) \S+(?: -?\d+){5} (\d+)/s.exec(readProc(pid, 'stat') ?? '')?.[1];
  return flags === undefined || (Number(flags) & exiting) !== 0;
}

/** PF_EXITING of the kernel. */
const exiting = 4;

/** The state field follows the name, which may itself hold brackets. */
function isZombie(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat === undefined || /^\d+ \(.*\) [ZX]/s.test(stat);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
