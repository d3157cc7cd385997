import { probe } from '../../support/apps.ts';
import { callApi } from '../../support/call-api.ts';
import { Ledger } from '../../support/ledger.ts';
import { startTraffic } from '../../support/traffic.ts';
import { sleep, until } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { ms, note, quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

const apps = ['one', 'two', 'three'];

/** kill -9 of the daemon while visitors come and changes are made: from the kill until it answers a command again. */
export const control: Figure = { size: 1000, counts: 'kills of the daemon', measure };

async function measure(wherry: Wherry, { size, random }: Asked) {
  for (const app of apps) {
    const pushed = await (await wherry.repository(app, { from: probe })).push();
    if (pushed.code !== 0) throw new Error(pushed.output);
  }
  const wrongs: string[] = [];
  const ledgers = apps.map(app => new Ledger({ data: wherry.data, app, random }));
  const traffic = apps.map(app =>
    startTraffic({ port: wherry.httpPort, host: wherry.hostOf(app) }, { clients: 2, pause: 10 }),
  );
  const samples: number[] = [];
  let lost = 0;
  for (let kill = 1; kill <= size; kill += 1) {
    const writing = ledgers.map(ledger => keepWriting(ledger, text => wrongs.push(text)));
    await sleep(random() * 600);
    const begun = performance.now();
    await wherry.kill();
    await Promise.all(writing);
    await wherry.start();
    await until('a command', async () => (await callApi(wherry.data, 'apps/list')).status === 200, {
      every: 1,
    });
    samples.push(performance.now() - begun);
    const missing = (await Promise.all(ledgers.map(ledger => ledger.check()))).flat();
    lost += missing.length;
    wrongs.push(...missing);
    if (kill % 50 === 0) note(`${kill} kills: back within ${ms(quantile(samples, 0.99))}`);
  }
  const tallies = await Promise.all(traffic.map(each => each.end()));
  const failures = tallies.flatMap(tally => tally.failures);
  const sent = tallies.reduce((sum, tally) => sum + tally.sent, 0);
  wrongs.push(...failures.map(failure => `a request failed: ${failure}`));
  const changes = ledgers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  return {
    wrongs,
    rows: [
      {
        what: `requests that failed, of ${sent}, while control was killed ${size} times`,
        value: String(failures.length),
        aim: '0',
      },
      {
        what: 'from the kill until it answers a command, p99',
        value: ms(quantile(samples, 0.99)),
        aim: '2000 ms',
      },
      { what: 'the same, median', value: ms(quantile(samples, 0.5)) },
      { what: `acknowledged changes lost, of ${changes}`, value: String(lost), aim: '0' },
    ],
    metrics: {
      control_kill_failed: failures.length,
      control_kill_requests: sent,
      control_back_ms_p99: quantile(samples, 0.99),
      lost_changes: lost,
      changes,
    },
  };
}

/** Until a change is cut off. */
async function keepWriting(ledger: Ledger, wrong: (text: string) => void): Promise<void> {
  let answered = true;
  while (answered)
    answered = await ledger.write().catch(error => {
      wrong(String(error));
      return true;
    });
}
