import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../system/clock.ts';
import type { Cgroups } from './cgroups.ts';
import { createLiving, type Driver, type Living, sandboxGroup, supervisorGroup } from './driver.ts';
import { settleExit } from './exits.ts';
import type { Folders } from './folders.ts';
import { readExit, readRecord } from './record.ts';
import { killGroup, removeCgroup, removeFolders } from './remove.ts';
import { removeSandbox } from './sandbox.ts';
import { isAlive } from './status.ts';

type Before = {
  readonly folders: Folders;
  readonly cgroups: Cgroups;
  readonly cgroupRoot: string;
  readonly clock: Clock;
};

/** Everything an earlier process of ours left: complete instances are given back, half-made ones and sandboxes removed. */
export async function adoptInstances(before: Before): Promise<readonly Living[]> {
  const { folders } = before;
  for (const path of [folders.instances, folders.sandboxes, folders.exits, folders.state]) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
  for (const id of await readdir(folders.sandboxes)) await removeSandbox(before, id);
  const adopted: Living[] = [];
  for (const id of await readdir(folders.instances)) {
    const living = await adoptOne(before, id);
    if (living) adopted.push(living);
    else await removeFolders(folders.instance(id));
  }
  await sweepCgroups(before, new Set(adopted.map(living => living.cgroup)));
  return adopted;
}

/** Exits that happened while nobody looked. Needs the driver, so it comes after `adoptInstances`. */
export async function settleAdopted(driver: Driver): Promise<void> {
  for (const living of driver.instances.values()) {
    // Kills of before are old news for one that lives; one that ended meanwhile may have ended by them.
    if (isAlive(living)) living.kills = driver.cgroups.kills(living.cgroup);
    await settleExit(driver, living);
  }
}

async function adoptOne(before: Before, id: string): Promise<Living | undefined> {
  const folder = before.folders.instance(id);
  const record = await readRecord(folder.record);
  if (record === undefined) return undefined;
  const living = createLiving(before, record);
  living.exit = await readExit(folder.exit);
  await adoptRun(living);
  return living;
}

/** The run that an earlier process of ours started, perhaps only a moment ago. */
export async function adoptRun(living: Living): Promise<void> {
  const { folder } = living;
  if (living.pid !== undefined || !existsSync(folder.pid)) return;
  living.pid = Number(await readFile(folder.pid, 'utf8'));
  living.startedAt = (await stat(folder.pid)).mtime;
}

/** Control groups of instances that were half made or half removed. */
async function sweepCgroups(before: Before, known: ReadonlySet<string>): Promise<void> {
  const { cgroups, cgroupRoot } = before;
  for (const group of cgroups.children(cgroupRoot)) {
    if (group === supervisorGroup || group === sandboxGroup) continue;
    for (const id of cgroups.children(`${cgroupRoot}/${group}`)) {
      const path = `${cgroupRoot}/${group}/${id}`;
      if (known.has(path)) continue;
      await killGroup(before, path);
      await removeCgroup(before, path);
    }
  }
}
