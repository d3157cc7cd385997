// Start of a stopped web process: from `ps:start` on an open connection to the first answer through the edge, less the app's own boot.
import { express } from '../support/apps.ts';
import { openSession, type SshSession } from '../support/ssh-session.ts';
import { sleep } from '../support/until.ts';
import type { Wherry } from '../support/wherry.ts';
import { median, ms, onFreshWherry, quantile, report, runsAsked } from './report.ts';

const warmUp = 2;

type Sample = { readonly wake: number; readonly boot: number };

await onFreshWherry(async wherry => {
  const runs = runsAsked(15);
  const pushed = await (await wherry.repository('bench', { from: express })).push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  const session = await openSession(wherry);
  const samples: Sample[] = [];
  for (let run = 1 - warmUp; run <= runs; run += 1) {
    const sample = await stopAndStart(wherry, session);
    if (run > 0) samples.push(sample);
  }
  session.close();
  const wake = median(samples.map(sample => sample.wake));
  const boot = median(samples.map(sample => sample.boot));
  const overheads = samples.map(sample => sample.wake - sample.boot);
  report(
    'wake',
    [
      { what: `start to first answer, median of ${samples.length}`, value: ms(wake) },
      { what: "the app's own boot, median", value: ms(boot) },
      { what: "Wherry's part, median", value: ms(median(overheads)), aim: '150 ms' },
      { what: "Wherry's part, p95", value: ms(quantile(overheads, 0.95)) },
    ],
    { boot_ms_p50: boot, overhead_ms_p50: median(overheads) },
  );
});

async function stopAndStart(wherry: Wherry, session: SshSession): Promise<Sample> {
  await session.exec('ps:stop bench');
  const begun = performance.now();
  const started = session.exec('ps:start bench');
  const { boot } = JSON.parse(await firstAnswer(wherry));
  const wake = performance.now() - begun;
  await started;
  return { wake, boot };
}

async function firstAnswer(wherry: Wherry): Promise<string> {
  const end = performance.now() + 30_000;
  while (performance.now() < end) {
    const answer = await wherry.get('bench', '/whoami');
    if (answer.status === 200) return answer.text;
    await sleep(3);
  }
  throw new Error('The app did not answer within half a minute.');
}
