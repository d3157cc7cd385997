import type { OomKill } from '../engine.ts';
import type { MemoryUse } from './cgroups.ts';
import { type Driver, groupPath, type Living } from './driver.ts';

/** Milliseconds within which a kill, the limit met before it and the exit after it belong together. */
const sameEvent = 2500;
/** The kernel charges memory in batches, so a peak may stay this many bytes below its limit. */
const chargeBatch = 2 ** 20;

/** Tells of memory kills that the kernel counted since the last look. */
export function checkKills(driver: Driver, living: Living): void {
  const before = living.kills;
  const now = driver.cgroups.kills(living.cgroup);
  living.kills = now;
  if (now.hits > before.hits) living.lastHit = driver.clock.ticks();
  if (now.kills <= before.kills) return;
  const oom = explain(driver, living);
  living.lastKill = { oom, ticks: driver.clock.ticks() };
  driver.emit({ kind: 'oom', id: living.record.spec.id, oom });
}

export function recentKill(driver: Driver, living: Living): OomKill | undefined {
  const { lastKill } = living;
  return lastKill && driver.clock.ticks() - lastKill.ticks < sameEvent ? lastKill.oom : undefined;
}

function explain(driver: Driver, living: Living): OomKill {
  const own = driver.cgroups.memory(living.cgroup);
  const group = driver.cgroups.memory(groupPath(driver, living.record.spec.group));
  const hitLately = living.lastHit !== undefined && driver.clock.ticks() - living.lastHit < sameEvent;
  return whoseLimit(own, group, hitLately) === 'group'
    ? { scope: 'group', limit: group.limit ?? 0, peak: group.peak }
    : { scope: 'instance', limit: own.limit ?? living.record.spec.limits.memory, peak: own.peak };
}

/**
 * Whose limit was met: the one whose use ever reached it. Where both did (page cache fills an instance up to its limit without
 * harm), the instance's own counts only if it was refused memory just now.
 */
export function whoseLimit(own: MemoryUse, group: MemoryUse, hitLately: boolean): OomKill['scope'] {
  const reached = ({ peak, limit }: MemoryUse) => limit !== null && peak >= limit - chargeBatch;
  if (group.limit === null || (reached(own) && !reached(group))) return 'instance';
  if (reached(group) && !reached(own)) return 'group';
  return hitLately ? 'instance' : 'group';
}
