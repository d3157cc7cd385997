import { Agent } from 'node:http';
import { type Ask, ask } from '../../support/http.ts';
import type { SshSession } from '../../support/ssh-session.ts';
import { sleep } from '../../support/until.ts';
import { note, quantile } from '../report.ts';

export type Ramp = {
  readonly sent: number;
  readonly failed: number;
  /** Milliseconds that one in a hundred requests waited longer than; the app's own time is not in it. */
  readonly waitP99: number;
  readonly mostInstances: number;
  /** Times that there were fewer instances and then more again. */
  readonly flaps: number;
};

export type RampOptions = {
  readonly target: Ask;
  readonly session: SshSession;
  readonly app: string;
  /** Requests a second in the middle. */
  readonly peak: number;
  readonly seconds: number;
  /** Milliseconds that the app takes for each. */
  readonly work: number;
};

const tick = 20;

/** From no request a second to the peak and back, however slowly they are answered. */
export async function ramp({ target, session, app, peak, seconds, work }: RampOptions): Promise<Ramp> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const waits: number[] = [];
  const open: Promise<void>[] = [];
  let failed = 0;
  const visit = async () => {
    const begun = performance.now();
    try {
      const { status, text } = await ask({ ...target, agent, timeout: 60_000 });
      waits.push(performance.now() - begun - work);
      if (status === 200) return;
      failed += 1;
      if (failed < 5) note(`${status} ${text.slice(0, 200)}`);
    } catch (error) {
      failed += 1;
      if (failed < 5) note(String(error));
    }
  };
  const begun = performance.now();
  const passed = () => (performance.now() - begun) / 1000;
  const counts = watchInstances({ session, app, until: () => passed() > seconds });
  let due = 0;
  let last = 0;
  while (passed() < seconds) {
    const now = passed();
    due += (now - last) * peak * (1 - Math.abs((2 * now) / seconds - 1));
    last = now;
    for (; due >= 1; due -= 1) open.push(visit());
    await sleep(tick);
  }
  await Promise.all(open);
  agent.destroy();
  const seen = await counts;
  return {
    sent: open.length,
    failed,
    waitP99: quantile(waits, 0.99),
    mostInstances: Math.max(...seen),
    flaps: flapsIn(seen),
  };
}

async function watchInstances(watch: {
  session: SshSession;
  app: string;
  until: () => boolean;
}): Promise<number[]> {
  const seen: number[] = [];
  while (!watch.until()) {
    const shown = await watch.session.exec(`ps:report ${watch.app}`);
    seen.push(shown.split('\n').filter(line => /^\s*Status web \d+:\s+running/.test(line)).length);
    await sleep(2000);
  }
  return seen;
}

function flapsIn(counts: readonly number[]): number {
  let falling = false;
  let flaps = 0;
  for (let at = 1; at < counts.length; at += 1) {
    const change = (counts[at] ?? 0) - (counts[at - 1] ?? 0);
    if (change > 0 && falling) flaps += 1;
    if (change !== 0) falling = change < 0;
  }
  return flaps;
}
