import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { programRoot } from '../../system/root.ts';
import { conmonArguments, superviseStart } from './conmon.ts';
import { type Driver, type Living, supervisorGroup } from './driver.ts';
import { forgetRun } from './exits.ts';
import { prepare } from './prepare.ts';
import { type Runtime, runtimeOf } from './runtime.ts';
import { isAlive } from './status.ts';

/** Starts a created or exited instance; one that runs is left alone. */
export async function startInstance(driver: Driver, living: Living): Promise<void> {
  if (isAlive(living)) return;
  await forgetRun(living);
  await prepare(driver, living);
  const { id, logFile, logSize } = living.record.spec;
  const args = conmonArguments({
    id,
    folders: driver.folders,
    folder: living.folder,
    runtime: runtimeWithOutput(driver, living),
    logFile,
    logSize,
  });
  try {
    living.pid = await superviseStart(args, living.folder);
    living.startedAt = driver.clock.now();
  } catch (error) {
    await forgetRun(living);
    throw error;
  }
  await shelterSupervisor(driver, living);
}

/** Users who are mapped own their output too, as others do by runc itself. */
function runtimeWithOutput(driver: Driver, living: Living): Runtime {
  const runtime = runtimeOf(driver, living);
  const { mapping } = driver;
  if (!living.record.mapped || !mapping) return runtime;
  const owner = String(mapping.ids.first);
  return ['/usr/bin/perl', join(programRoot, 'src/engine/runc/give-output.pl'), owner, owner, ...runtime];
}

/** A service manager that stops the daemon kills its whole group: the supervisors must not be in it. */
async function shelterSupervisor(driver: Driver, living: Living): Promise<void> {
  try {
    const pid = Number(await readFile(living.folder.conmonPid, 'utf8'));
    driver.cgroups.shelter(`${driver.cgroupRoot}/${supervisorGroup}`, pid);
  } catch (error) {
    // It may have ended together with a short-lived instance.
    driver.log.debug({ err: error, id: living.record.spec.id }, 'supervisor was not moved');
  }
}
