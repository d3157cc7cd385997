// How long visitors wait for an app that does not run: from a start by hand, from both depths of sleep, and when many apps are woken at
// once; and what an app that sleeps costs.
import { express } from '../support/apps.ts';
import { openSession, type SshSession } from '../support/ssh-session.ts';
import { sleep } from '../support/until.ts';
import type { Wherry } from '../support/wherry.ts';
import { mb, median, ms, note, onFreshWherry, quantile, report, runsAsked } from './report.ts';
import { awakeTime, fromSleep } from './support/from-sleep.ts';
import { herd, manyAsleep } from './support/many-asleep.ts';

const warmUp = 2;
/** Apps that sleep at once; the first `inHerd` of them are woken at once. */
const many = Number(process.argv[3] ?? 200);
const inHerd = Math.min(50, many);

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
  const awake = await awakeTime(wherry, runs);
  const light = await fromSleep(wherry, session, { depth: 'light', runs });
  const deep = await fromSleep(wherry, session, { depth: 'deep', runs });
  const lights = light.map(({ total }) => total - awake);
  const deeps = deep.map(({ total, boot }) => total - boot);
  const sleepers = await manyAsleep(wherry, session, many);
  note(`${many} apps sleep`);
  const woken = await herd(wherry, session, sleepers.apps.slice(0, inHerd));
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
      { what: 'first byte, awake, median', value: ms(awake) },
      { what: 'more from a light sleep, p95', value: ms(quantile(lights, 0.95)), aim: '15 ms' },
      {
        what: "more than the app's boot from a deep sleep, p95",
        value: ms(quantile(deeps, 0.95)),
        aim: '100 ms',
      },
      { what: `each of ${many} apps asleep`, value: mb(sleepers.each), aim: '1 MB' },
      { what: `${inHerd} apps woken at once: all answered after`, value: ms(woken.atOnce) },
      { what: 'as many woken in turn on all cores', value: ms(woken.inTurn) },
      { what: 'at once, against in turn', value: woken.ratio.toFixed(2), aim: '2' },
      { what: 'requests of them that failed', value: String(woken.failed), aim: '0' },
    ],
    {
      boot_ms_p50: boot,
      overhead_ms_p50: median(overheads),
      light_ms_p50: median(lights),
      light_ms_p95: quantile(lights, 0.95),
      deep_overhead_ms_p50: median(deeps),
      deep_overhead_ms_p95: quantile(deeps, 0.95),
      asleep_mb_per_app: sleepers.each,
      herd_failed: woken.failed,
      herd_ratio: woken.ratio,
    },
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
