import { readdir } from 'node:fs/promises';
import { unmountBelow } from '../../system/mounts.ts';
import type { Driver } from './driver.ts';
import { killGroup, removeCgroup, removeInstance } from './remove.ts';
import { removeSandbox } from './sandbox.ts';
import { purgeUserMapping } from './user-mapping.ts';

/** Removes every instance and everything that was made on the host for this data directory. */
export async function purgeDriver(driver: Driver): Promise<void> {
  const { folders, cgroups, cgroupRoot, network } = driver;
  await Promise.all([...driver.instances.values()].map(living => removeInstance(driver, living)));
  for (const id of await readdir(folders.sandboxes)) await removeSandbox(driver, id);
  for (const group of cgroups.children(cgroupRoot)) {
    await killGroup(driver, `${cgroupRoot}/${group}`);
    for (const id of cgroups.children(`${cgroupRoot}/${group}`)) {
      await killGroup(driver, `${cgroupRoot}/${group}/${id}`);
    }
  }
  await network.purge();
  await unmountBelow(folders.root);
  await purgeUserMapping(driver.tag);
  await removeCgroup(driver, cgroupRoot);
}
