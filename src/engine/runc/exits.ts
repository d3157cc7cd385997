import { existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import type { Exit, OomKill } from '../engine.ts';
import type { Driver, Living } from './driver.ts';
import { checkKills, recentKill } from './memory-kills.ts';
import { runsAs } from './processes.ts';
import { readText, writeExit } from './record.ts';
import { isAlive } from './status.ts';

/** An end of which no exit status was kept: the supervisor was killed, or the host went down. */
const unknownExit = 137;
/** Milliseconds that a supervisor may take to write the exit status. */
const supervisorPatience = 3000;

/** Notes an exit that happened unseen: while control was away, or whose supervisor died. Cheap while all is well. */
export async function settleExit(driver: Driver, living: Living): Promise<void> {
  if (living.exit || living.pid === undefined || isAlive(living)) return;
  const { folder, record } = living;
  const end = driver.clock.ticks() + supervisorPatience;
  while (!existsSync(folder.exitStatus) && driver.clock.ticks() < end) {
    const supervisor = Number((await readText(folder.conmonPid)) ?? 0);
    if (!runsAs(supervisor, ['conmon', record.spec.id])) break;
    await driver.clock.sleep(20);
  }
  await noteExit(driver, living);
}

/** Reads how an instance ended, gives back its control group and tells whoever waits. Done once per run. */
export function noteExit(driver: Driver, living: Living): Promise<Exit> {
  if (living.exit) return Promise.resolve(living.exit);
  living.noting ??= readEnd(driver, living).finally(() => {
    living.noting = undefined;
  });
  return living.noting;
}

/** Resolves at the exit, at once if there was one. */
export function waitExit(living: Living, signal?: AbortSignal): Promise<Exit> {
  if (living.exit) return Promise.resolve(living.exit);
  return new Promise((resolve, reject) => {
    const leave = () => {
      living.waiters.delete(tell);
      signal?.removeEventListener('abort', onAbort);
    };
    const tell = (exit: Exit) => {
      leave();
      resolve(exit);
    };
    const onAbort = () => {
      leave();
      reject(signal?.reason);
    };
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    living.waiters.add(tell);
  });
}

/** Forgets the last run, so that the instance can be started again. */
export async function forgetRun(living: Living): Promise<void> {
  const { folder } = living;
  living.exit = undefined;
  living.pid = undefined;
  living.startedAt = undefined;
  living.lastKill = undefined;
  living.lastHit = undefined;
  living.kills = { kills: 0, hits: 0 };
  await Promise.all(
    [folder.exitStatus, folder.exit, folder.pid, folder.conmonPid, folder.state].map(path =>
      rm(path, { recursive: true, force: true }),
    ),
  );
}

async function readEnd(driver: Driver, living: Living): Promise<Exit> {
  const { folder, record, cgroup } = living;
  // Counters vanish with the group: read them first.
  checkKills(driver, living);
  const { code, at } = await readStatus(driver, living);
  const oom: OomKill | undefined = code === 0 ? undefined : recentKill(driver, living);
  const exit: Exit = oom === undefined ? { code, at } : { code, at, oom };
  await writeExit(folder.exit, exit);
  await rm(folder.state, { recursive: true, force: true });
  releaseCgroup(driver, cgroup);
  living.exit = exit;
  for (const tell of living.waiters) tell(exit);
  living.waiters.clear();
  driver.emit({ kind: 'exited', id: record.spec.id, exit });
  return exit;
}

async function readStatus(driver: Driver, { folder }: Living): Promise<{ code: number; at: Date }> {
  if (!existsSync(folder.exitStatus)) return { code: unknownExit, at: driver.clock.now() };
  const code = Number(await readFile(folder.exitStatus, 'utf8'));
  return { code, at: (await stat(folder.exitStatus)).mtime };
}

function releaseCgroup(driver: Driver, cgroup: string): void {
  try {
    driver.cgroups.remove(cgroup);
  } catch (error) {
    // A process still on its way out keeps it busy; `start` uses it again and `remove` tries again.
    driver.log.debug({ err: error, cgroup }, 'control group is still busy');
  }
}
