import { callApi } from '../../support/call-api.ts';
import { startTraffic } from '../../support/traffic.ts';
import type { Wherry } from '../../support/wherry.ts';
import { quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** Pushes that all come at once, each to an app of its own, while another is visited. */
export const crowd: Figure = { size: 100, counts: 'pushes at once', measure };

async function measure(wherry: Wherry, { size }: Asked) {
  const quiet = await wherry.repository('quiet', { files: page('quiet') });
  const pushed = await quiet.push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  for (let at = 0; at < size; at += 1) {
    await callApi(wherry.data, 'apps/create', { app: `app${at}` });
    // All together they are to fit on a small host.
    await callApi(wherry.data, 'resource/limit', { app: `app${at}`, memory: '48m' });
  }
  const repositories = await Promise.all(
    Array.from({ length: size }, (_, at) => wherry.repository(`app${at}`, { files: page(`app${at}`) })),
  );
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('quiet') }, { clients: 2 });
  const wrongs: string[] = [];
  const begun = performance.now();
  const times = await Promise.all(
    repositories.map(async (repository, at) => {
      const { code, output } = await repository.push();
      if (code !== 0) wrongs.push(`push ${at} failed: ${output.slice(-300)}`);
      return (performance.now() - begun) / 1000;
    }),
  );
  for (let at = 0; at < size; at += 1) {
    const { text } = await wherry.get(`app${at}`);
    if (!text.includes(`app${at}`)) wrongs.push(`app${at} answers ${JSON.stringify(text.slice(0, 100))}`);
  }
  const { sent, failures } = await traffic.end();
  wrongs.push(...failures.map(failure => `a request failed: ${failure}`));
  return {
    wrongs,
    rows: [
      { what: `${size} pushes at once: all are live`, value: `${Math.max(...times).toFixed(1)} s` },
      { what: 'the median', value: `${quantile(times, 0.5).toFixed(1)} s` },
      {
        what: `requests to another app that failed, of ${sent}`,
        value: String(failures.length),
        aim: '0',
      },
    ],
    metrics: { crowd_s: Math.max(...times), crowd_p50_s: quantile(times, 0.5), crowd_failed: wrongs.length },
  };
}

/** Static: what is measured is the way of a push, not a language. */
const page = (name: string) => ({ 'index.html': `<h1>${name}</h1>\n` });
