import type { Instance, InstanceStatus } from '../engine.ts';
import type { Driver, Living } from './driver.ts';
import { livesIn } from './processes.ts';

/** From the kernel: its init lives, in its own control group. */
export function isAlive(living: Living): boolean {
  return living.exit === undefined && living.pid !== undefined && livesIn(living.pid, living.cgroup);
}

/** The instance as others see it now. An exit that nobody noted yet must have been noted before (`settleExit`). */
export function describe(driver: Driver, living: Living): Instance {
  const { spec, network } = living.record;
  return {
    id: spec.id,
    group: spec.group,
    labels: spec.labels,
    address: network.address,
    limits: spec.limits,
    logFile: spec.logFile,
    status: statusOf(driver, living),
  };
}

function statusOf(driver: Driver, living: Living): InstanceStatus {
  const { exit, pid, startedAt } = living;
  if (exit) return { kind: 'exited', exit };
  if (pid === undefined || startedAt === undefined) return { kind: 'created' };
  return { kind: driver.cgroups.frozen(living.cgroup) ? 'frozen' : 'running', pid, startedAt };
}
