import { probe } from '../../support/apps.ts';
import { edgePids } from '../../support/edge-process.ts';
import { timeAway } from '../../support/time-away.ts';
import { sleep } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { ms, quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** kill -9 of the edge: from the kill until a new connection is answered, from the routes that it had. */
export const edge: Figure = { size: 100, counts: 'kills of the edge', measure };

async function measure(wherry: Wherry, { size, random }: Asked) {
  const pushed = await (await wherry.repository('bench', { from: probe })).push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  const samples: number[] = [];
  for (let kill = 1; kill <= size; kill += 1) {
    // One that falls again within ten seconds is started later each time.
    await sleep(10_500 + random() * 1000);
    const [pid = 0] = edgePids(wherry.data);
    samples.push(await timeAway(wherry, () => process.kill(pid, 'SIGKILL')));
  }
  return {
    wrongs: [],
    rows: [
      {
        what: `edge killed ${size} times until it answers, p99`,
        value: ms(quantile(samples, 0.99)),
        aim: '1000 ms',
      },
      { what: 'the same, median', value: ms(quantile(samples, 0.5)) },
    ],
    metrics: { edge_back_ms_p99: quantile(samples, 0.99), edge_back_ms_p50: quantile(samples, 0.5) },
  };
}
