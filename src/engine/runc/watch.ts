import { existsSync, watch } from 'node:fs';
import type { Driver, Living } from './driver.ts';
import { noteExit, settleExit } from './exits.ts';
import { checkKills } from './memory-kills.ts';

/** Milliseconds between looks at memory kills: Node can wait for neither kernel's own notice of them. */
const pollInterval = 1000;

/** Notes each exit as conmon writes its file, and each memory kill soon after. Returns the way to stop. */
export function watchInstances(driver: Driver): () => void {
  const watcher = watch(driver.folders.exits, (_, name) => {
    const living = name === null ? undefined : driver.instances.get(name);
    if (living && existsSync(living.folder.exitStatus)) reported(driver, living, noteExit(driver, living));
  });
  const timer = setInterval(() => {
    for (const living of driver.instances.values()) look(driver, living);
  }, pollInterval);
  timer.unref();
  return () => {
    watcher.close();
    clearInterval(timer);
  };
}

function look(driver: Driver, living: Living): void {
  if (living.pid === undefined || living.exit || living.noting) return;
  if (driver.cgroups.exists(living.cgroup)) checkKills(driver, living);
  // A supervisor that was killed writes no exit file.
  reported(driver, living, settleExit(driver, living));
}

function reported(driver: Driver, living: Living, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    driver.log.error({ err: error, id: living.record.spec.id }, 'could not note an exit');
  });
}
