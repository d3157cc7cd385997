import { probe } from '../../support/apps.ts';
import { callApi } from '../../support/call-api.ts';
import { startTraffic } from '../../support/traffic.ts';
import { until } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { ms, quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** An app eats more memory than it may have: from its end until `events` says why, while another is visited. */
export const oom: Figure = { size: 20, counts: 'kills for memory', measure };

async function measure(wherry: Wherry, { size }: Asked) {
  for (const app of ['hog', 'neighbour']) {
    const pushed = await (await wherry.repository(app, { from: probe })).push();
    if (pushed.code !== 0) throw new Error(pushed.output);
  }
  await callApi(wherry.data, 'resource/limit', { app: 'hog', memory: '128m' });
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('neighbour') }, { clients: 2 });
  const samples: number[] = [];
  for (let kill = 1; kill <= size; kill += 1) {
    const back = async () => (await wherry.get('hog').catch(() => undefined))?.status === 200;
    await until('the app to be back', back, { timeout: 120_000 });
    const known = await kills(wherry);
    await wherry.get('hog', '/eat?mb=400').catch(() => {});
    const ended = performance.now();
    await until('the reason', async () => (await kills(wherry)) > known, { timeout: 30_000, every: 5 });
    samples.push(performance.now() - ended);
  }
  const { sent, failures } = await traffic.end();
  return {
    wrongs: failures.map(failure => `a request to the neighbour failed: ${failure}`),
    rows: [
      {
        what: `${size} kills for memory until events say so, p99`,
        value: ms(quantile(samples, 0.99)),
        aim: '2000 ms',
      },
      {
        what: `requests of a neighbour that failed, of ${sent}`,
        value: String(failures.length),
        aim: '0',
      },
    ],
    metrics: {
      oom_explained_ms_p99: quantile(samples, 0.99),
      oom_explained_ms_p50: quantile(samples, 0.5),
      neighbour_failed: failures.length,
      neighbour_requests: sent,
    },
  };
}

/** How many the app's events tell of, as a person asks for them. */
async function kills(wherry: Wherry): Promise<number> {
  const { stdout } = await wherry.cli('events', 'hog', '-n', '1000');
  return (stdout.match(/^\S+ hog oom: /gm) ?? []).length;
}
