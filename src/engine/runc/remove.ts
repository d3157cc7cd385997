import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { unmountBelow } from '../../system/mounts.ts';
import type { Driver, Living } from './driver.ts';
import { noteExit } from './exits.ts';
import type { InstanceFolder } from './folders.ts';
import { kill, runsAs, until } from './processes.ts';
import { readText } from './record.ts';
import { isAlive } from './status.ts';

/** 128 + SIGKILL. */
const killedExit = 137;
const killTimeout = 10_000;
const supervisorTimeout = 2000;

/** Kills an instance and gives back all it had but its log. */
export async function removeInstance(driver: Driver, living: Living): Promise<void> {
  await killInstance(driver, living);
  await dismantle(driver, living);
  driver.instances.delete(living.record.spec.id);
  if (living.record.spec.networks?.length) await driver.meet();
  // It never ran: whoever waits for its end would wait for ever.
  for (const tell of living.waiters) tell({ code: killedExit, at: driver.clock.now() });
}

/** Everything but the processes: mounts, namespace, control group, folders. What is gone already is no error. */
export async function dismantle(driver: Driver, living: Living): Promise<void> {
  await killGroup(driver, living.cgroup);
  await Promise.all([
    removeFolders(living.folder),
    driver.mapping?.release(living.record.spec.id),
    driver.network.release(living.record.network.name),
    removeCgroup(driver, living.cgroup),
  ]);
}

export async function removeFolders(folder: InstanceFolder): Promise<void> {
  await unmountBelow(folder.dir);
  await Promise.all(
    [folder.dir, folder.state, folder.exitStatus].map(path => rm(path, { recursive: true, force: true })),
  );
}

/** The kernel needs a moment after the last process; it refuses a group that is not empty. */
export async function removeCgroup(driver: Pick<Driver, 'cgroups' | 'clock'>, path: string): Promise<void> {
  let failure: unknown;
  const gone = await until(driver.clock, killTimeout, () => {
    try {
      driver.cgroups.remove(path);
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  });
  if (!gone) throw failure;
}

/** Kills all processes in a control group until none is left. */
export async function killGroup(driver: Pick<Driver, 'cgroups' | 'clock'>, path: string): Promise<void> {
  if (!driver.cgroups.exists(path)) return;
  await until(driver.clock, killTimeout, () => {
    const left = driver.cgroups.processes(path);
    for (const pid of left) kill(pid, 'SIGKILL');
    // A frozen process takes its SIGKILL only once it is thawed.
    if (left.length > 0 && driver.cgroups.frozen(path)) driver.cgroups.freeze(path, false);
    return left.length === 0;
  });
}

async function killInstance(driver: Driver, living: Living): Promise<void> {
  if (living.pid === undefined || living.exit) return;
  const { folder, record, cgroup } = living;
  if (isAlive(living)) {
    kill(living.pid, 'SIGKILL');
    if (driver.cgroups.frozen(cgroup)) driver.cgroups.freeze(cgroup, false);
  }
  await until(driver.clock, killTimeout, () => !isAlive(living));
  const supervisor = Number((await readText(folder.conmonPid)) ?? 0);
  const supervised = () => runsAs(supervisor, ['conmon', record.spec.id]);
  const written = await until(
    driver.clock,
    supervisorTimeout,
    () => existsSync(folder.exitStatus) || !supervised(),
  );
  if (!written && supervised()) kill(supervisor, 'SIGKILL');
  await noteExit(driver, living);
}
