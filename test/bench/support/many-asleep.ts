import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { probe } from '../../support/apps.ts';
import { edgePids } from '../../support/edge-process.ts';
import type { SshSession } from '../../support/ssh-session.ts';
import { sleep } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { median, note } from '../report.ts';
import { pss } from './pss.ts';

export type ManyAsleep = {
  readonly apps: readonly string[];
  /** Megabytes of each, of processes and of what the kernel cannot give back. */
  readonly each: number;
};

/** Makes apps of one image, each stopped in a deep sleep once it ran. */
export async function manyAsleep(wherry: Wherry, session: SshSession, count: number): Promise<ManyAsleep> {
  const pushed = await (await wherry.repository('sleeper', { from: probe })).push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  // All awake at once must fit into the host's memory.
  await session.exec('resource:limit --memory 96m sleeper');
  await session.exec('sleep:now sleeper --depth deep');
  const before = await taken(wherry);
  const apps: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const app = `sleeper-${number}`;
    await session.exec(`apps:clone sleeper ${app}`);
    await session.exec(`sleep:now ${app} --depth deep`);
    apps.push(app);
    if (number % 50 === 0) note(`${number} apps made`);
  }
  return { apps, each: ((await taken(wherry)) - before) / count };
}

export type Herd = {
  readonly failed: number;
  /** Milliseconds until all have answered: woken at once, and by as many requests at a time as there are processors. */
  readonly atOnce: number;
  readonly inTurn: number;
  readonly ratio: number;
};

/** Wakes apps that sleep all at once, and again in turn. */
export async function herd(wherry: Wherry, session: SshSession, apps: readonly string[]): Promise<Herd> {
  const inTurn = await wakeAll(wherry, apps, cpus().length);
  for (const app of apps) await session.exec(`sleep:now ${app} --depth deep`);
  // One visitor may wake so many at once, and one more each second.
  await sleep(apps.length * 1000);
  const atOnce = await wakeAll(wherry, apps, apps.length);
  return {
    failed: inTurn.failed + atOnce.failed,
    atOnce: atOnce.ms,
    inTurn: inTurn.ms,
    ratio: atOnce.ms / inTurn.ms,
  };
}

async function wakeAll(
  wherry: Wherry,
  apps: readonly string[],
  atOnce: number,
): Promise<{ ms: number; failed: number }> {
  const left = [...apps];
  let failed = 0;
  const begun = performance.now();
  const visitor = async () => {
    for (let app = left.pop(); app; app = left.pop()) {
      const status = await wherry.get(app, '/whoami', { timeout: 120_000 }).then(
        answer => answer.status,
        () => 0,
      );
      if (status !== 200) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return { ms: performance.now() - begun, failed };
}

/** Megabytes of control, edge and kernel, the median of some seconds: rubbish comes and goes. */
async function taken(wherry: Wherry): Promise<number> {
  const seen: number[] = [];
  for (let look = 0; look < 9; look += 1) {
    await sleep(300);
    const platform = [wherry.daemonPid(), ...edgePids(wherry.data)];
    seen.push(platform.reduce((sum, pid) => sum + pss(pid), kernel()));
  }
  return median(seen);
}

const kernelFields = ['SUnreclaim', 'Percpu', 'KernelStack', 'PageTables', 'Shmem'];

function kernel(): number {
  const table = readFileSync('/proc/meminfo', 'utf8');
  const kilobytes = kernelFields.map(field =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(table)?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024;
}
