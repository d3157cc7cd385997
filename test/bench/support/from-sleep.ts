import type { SleepDepth } from '../../../src/domain/scaling.ts';
import type { SshSession } from '../../support/ssh-session.ts';
import { sleep } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { median } from '../report.ts';

/** Milliseconds of one request to an app that slept, and of those what the app took to boot. */
export type Woken = { readonly total: number; readonly boot: number };

/** Milliseconds of one request to the app `bench` while it is awake, on a connection of its own; the median. */
export async function awakeTime(wherry: Wherry, runs: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push((await ask(wherry)).total);
  return median(times);
}

export async function fromSleep(
  wherry: Wherry,
  session: SshSession,
  { depth, runs }: { depth: SleepDepth; runs: number },
): Promise<readonly Woken[]> {
  const samples: Woken[] = [];
  for (let run = 0; run < runs; run += 1) {
    await session.exec(`sleep:now bench --depth ${depth}`);
    // Nobody comes in the very moment that an app falls asleep.
    await sleep(100);
    samples.push(await ask(wherry));
  }
  return samples;
}

async function ask(wherry: Wherry): Promise<Woken> {
  const begun = performance.now();
  const answer = await wherry.get('bench', '/whoami');
  const total = performance.now() - begun;
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  return { total, boot: (JSON.parse(answer.text) as { boot: number }).boot };
}
