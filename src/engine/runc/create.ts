import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import type { InstanceSpec } from '../engine.ts';
import { checkMounts } from '../mounts.ts';
import { createLiving, type Driver, type Living } from './driver.ts';
import { makeFolders, prepare, writeBundle } from './prepare.ts';
import { writeRecord } from './record.ts';
import { dismantle } from './remove.ts';
import { checkRuntime } from './runtime.ts';

/** Makes everything an instance needs before its start. Its record is written last: without it, it is half made. */
export async function createInstance(driver: Driver, spec: InstanceSpec): Promise<Living> {
  checkSpec(spec);
  checkRuntime(spec);
  if (driver.instances.has(spec.id)) {
    throw new WherryError('conflict', `Instance ${spec.id} exists already. Remove it first.`);
  }
  const living = createLiving(driver, {
    spec,
    network: await driver.network.take('apps'),
    ...((await canMapUsers(driver, spec)) ? { mapped: true } : {}),
  });
  const { folder } = living;
  try {
    await rm(folder.exitStatus, { force: true });
    await Promise.all([makeFolders(folder, spec.limits.disk), openLog(spec.logFile)]);
    await Promise.all([writeBundle(driver, living), prepare(driver, living)]);
    await writeRecord(folder.record, living.record);
  } catch (error) {
    await dismantle(driver, living);
    throw error;
  }
  driver.instances.set(spec.id, living);
  if (spec.networks?.length) await driver.meet();
  return living;
}

/** Not where it sees a folder whose file system cannot map owners: it could not use its own files there. */
async function canMapUsers(
  { mapping, mapUsers, layerPath, log }: Driver,
  { id, layers, mounts = [], isolation }: InstanceSpec,
): Promise<boolean> {
  // gVisor has users of its own.
  if (!mapping || !mapUsers || isolation === 'gvisor') return false;
  if (!layers.every(layer => mapping.covers(layerPath(layer)))) return false;
  try {
    await mapping.prepare(id, mounts);
    return true;
  } catch (error) {
    log.warn({ err: error, id }, 'its users are not mapped, since a mount of it cannot be');
    await mapping.release(id);
    return false;
  }
}

async function openLog(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '', { flag: 'a', mode: 0o600 });
}

function checkSpec(spec: InstanceSpec): void {
  checkName(spec.id, 'Instance id');
  checkName(spec.group, 'Group');
  if (spec.user.uid === 0 || spec.user.gid === 0) {
    throw new WherryError('invalid', `Instance ${spec.id} would run as root. Give it another user.`);
  }
  if (spec.argv.length === 0) throw new WherryError('invalid', `Instance ${spec.id} has no command.`);
  if (spec.layers.length === 0) throw new WherryError('invalid', `Instance ${spec.id} has no layers.`);
  checkMounts(spec.mounts ?? [], spec.tmpfs);
}

/** Ids and groups become paths: letters, digits, `.` and `-`, beginning with a letter or digit. @throws invalid */
export function checkName(name: string, what: string): void {
  if (!/^[a-z0-9][a-z0-9.-]{0,99}$/.test(name) || name.includes('..')) {
    throw new WherryError(
      'invalid',
      `${what} ${quoteForPeople(name)} is not valid. Use a-z, 0-9, "." and "-".`,
    );
  }
}
