import { probe, shellApp } from '../../support/apps.ts';
import { callApi } from '../../support/call-api.ts';
import { startTraffic } from '../../support/traffic.ts';
import type { Wherry } from '../../support/wherry.ts';
import { ms, quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** Apps that end three seconds after each start, while another is visited and commands are typed. */
export const loops: Figure = { size: 50, counts: 'apps that crash all the time', measure };

/** For how long it is looked at, in milliseconds. */
const watched = 30_000;

async function measure(wherry: Wherry, { size }: Asked) {
  const deploy = async (app: string, files = {}) => {
    await callApi(wherry.data, 'apps/create', { app });
    await callApi(wherry.data, 'resource/limit', { app, memory: '100m' });
    const { code, output } = await (await wherry.repository(app, { from: probe, files })).push();
    if (code !== 0) throw new Error(output);
  };
  await deploy('steady');
  for (let at = 0; at < size; at += 1)
    await deploy(`loop${at}`, shellApp('node server.js & sleep 3; kill %1; exit 9'));
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf('steady') }, { clients: 1 });
  const visits: number[] = [];
  const commands: number[] = [];
  const end = performance.now() + watched;
  while (performance.now() < end) {
    const begun = performance.now();
    await wherry.get('steady');
    visits.push(performance.now() - begun);
    const asked = performance.now();
    await callApi(wherry.data, 'ps/report', { app: 'steady' });
    commands.push(performance.now() - asked);
  }
  const { sent, failures } = await traffic.end();
  return {
    wrongs: failures.map(failure => `a request failed: ${failure}`),
    rows: [
      { what: `a visitor waits beside ${size} apps that crash, p99`, value: ms(quantile(visits, 0.99)) },
      { what: 'a command is answered, p95', value: ms(quantile(commands, 0.95)) },
      { what: `requests that failed, of ${sent}`, value: String(failures.length), aim: '0' },
    ],
    metrics: {
      loops_failed: failures.length,
      loops_visit_ms_p99: quantile(visits, 0.99),
      loops_command_ms_p95: quantile(commands, 0.95),
    },
  };
}
