import { existsSync, watch } from 'node:fs';
import { checkDisk } from './disk.ts';
import type { Driver, Living } from './driver.ts';
import { noteExit, settleExit } from './exits.ts';
import { checkKills } from './memory-kills.ts';

/** Milliseconds between looks at memory kills: Node can wait for neither kernel's own notice of them. */
const pollInterval = 1000;
/** Every so many looks, whether each still lives: only a supervisor that was killed leaves an end untold. */
const looksPerCheck = 5;

/** Notes each exit as conmon writes its file, and each memory kill soon after. Returns the way to stop. */
export function watchInstances(driver: Driver): () => void {
  const watcher = watch(driver.folders.exits, (_, name) => {
    const living = name === null ? undefined : driver.instances.get(name);
    if (living && existsSync(living.folder.exitStatus)) reported(driver, living, noteExit(driver, living));
  });
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    for (const living of driver.instances.values()) look(driver, living, looks % looksPerCheck === 0);
  }, pollInterval);
  timer.unref();
  return () => {
    watcher.close();
    clearInterval(timer);
  };
}

function look(driver: Driver, living: Living, checkLife: boolean): void {
  if (living.pid === undefined || living.exit || living.noting) return;
  checkKills(driver, living);
  if (living.record.spec.limits.disk !== undefined) reported(driver, living, checkDisk(driver, living));
  if (checkLife) reported(driver, living, settleExit(driver, living));
}

function reported(driver: Driver, living: Living, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    driver.log.error({ err: error, id: living.record.spec.id }, 'could not note how it is');
  });
}
