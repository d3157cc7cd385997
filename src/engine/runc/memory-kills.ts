import type { OomKill } from '../engine.ts';
import { type Driver, groupPath, type Living } from './driver.ts';

/** An exit this soon after a memory kill, in milliseconds, comes from it: the process may have taken a moment to end. */
const sameEvent = 2500;

/** Tells of memory kills that the kernel counted since the last look. */
export function checkKills(driver: Driver, living: Living): void {
  const before = living.kills;
  const now = driver.cgroups.kills(living.cgroup);
  living.kills = now;
  if (now.kills <= before.kills) return;
  const oom = explain(driver, living, now.hits > before.hits);
  living.lastKill = { oom, ticks: driver.clock.ticks() };
  driver.emit({ kind: 'oom', id: living.record.spec.id, oom });
}

export function recentKill(driver: Driver, living: Living): OomKill | undefined {
  const { lastKill } = living;
  return lastKill && driver.clock.ticks() - lastKill.ticks < sameEvent ? lastKill.oom : undefined;
}

/** Whose limit was met: the instance's own if it was refused memory at it, else the app's quota. */
function explain(driver: Driver, living: Living, ownLimitMet: boolean): OomKill {
  const own = driver.cgroups.memory(living.cgroup);
  const group = driver.cgroups.memory(groupPath(driver, living.record.spec.group));
  if (ownLimitMet || group.limit === null) {
    return { scope: 'instance', limit: own.limit ?? living.record.spec.limits.memory, peak: own.peak };
  }
  return { scope: 'group', limit: group.limit, peak: group.peak };
}
