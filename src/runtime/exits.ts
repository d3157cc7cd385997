import { formatBytes } from '../domain/bytes.ts';
import type { Exit, OomKill } from '../engine/engine.ts';

export function diskIsFull(app: string, member: { type: string; index: number }, limit: number): string {
  const more = formatBytes(limit * 2);
  return `${member.type}.${member.index} has no room left to write: its disk limit is ${formatBytes(limit)}. Give it more: resource:limit --disk ${more} --process-type ${member.type} ${app}, and ps:restart ${app}. What is to last belongs into storage.`;
}

/** How a process ended, as the rest of a sentence: `exited with status 1`. */
export function howItEnded(exit: Exit): string {
  if (exit.oom) return howItWasKilled(exit.oom);
  if (exit.code > 128 && exit.code < 160) return `was ended by signal ${exit.code - 128}`;
  return `exited with status ${exit.code}`;
}

export function howItWasKilled(oom: OomKill): string {
  const whose = oom.scope === 'instance' ? 'its memory limit' : "the app's memory quota";
  return `was killed by the kernel at ${whose} of ${formatBytes(oom.limit)} (peak ${formatBytes(oom.peak)})`;
}

/** The command that gives more memory after a kill. */
export function remedy(app: string, type: string, oom: OomKill): string {
  const more = formatBytes(oom.limit * 2);
  return oom.scope === 'instance'
    ? `resource:limit --memory ${more} --process-type ${type} ${app}`
    : `quota:set ${app} --memory ${more}`;
}

/** Milliseconds until the next start after `restarts` restarts: 1 s doubling to 60 s, 20 % jitter either way. */
export function backOff(restarts: number, random: () => number): number {
  const base = Math.min(1000 * 2 ** Math.min(restarts, 10), 60_000);
  return Math.round(base * (0.8 + 0.4 * random()));
}
