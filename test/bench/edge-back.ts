// An edge that is killed: from kill -9 to the first answer over a new connection, from the routes that it had.
import { probe } from '../support/apps.ts';
import { edgePids } from '../support/edge-process.ts';
import { timeAway } from '../support/time-away.ts';
import { sleep } from '../support/until.ts';
import { median, ms, onFreshWherry, quantile, report, runsAsked } from './report.ts';

await onFreshWherry(async wherry => {
  const runs = runsAsked(15);
  const pushed = await (await wherry.repository('bench', { from: probe })).push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  const samples: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    // One that falls again within ten seconds is started later each time.
    await sleep(11_000);
    const [edge = 0] = edgePids(wherry.data);
    samples.push(await timeAway(wherry, () => process.kill(edge, 'SIGKILL')));
  }
  report(
    'edge-back',
    [
      { what: `edge killed until it answers, median of ${runs}`, value: ms(median(samples)), aim: '1000 ms' },
      { what: 'the same, p95', value: ms(quantile(samples, 0.95)) },
    ],
    { edge_back_ms: median(samples), edge_back_ms_p95: quantile(samples, 0.95) },
  );
});
