import { probe } from '../../support/apps.ts';
import { startTraffic } from '../../support/traffic.ts';
import { until } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { note } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** Visitors for each deploy, at the least. */
const visitsEach = 1000;

/** Deploys one after the other while visitors come without a pause. */
export const deploy: Figure = { size: 100, counts: 'deploys', measure };

async function measure(wherry: Wherry, { size }: Asked) {
  const repository = await wherry.repository('bench', { from: probe });
  const wrongs: string[] = [];
  const push = async () => {
    const { code, output } = await repository.push();
    if (code !== 0) wrongs.push(`a push failed: ${output.slice(-500)}`);
  };
  await push();
  const traffic = startTraffic(
    { port: wherry.httpPort, host: wherry.hostOf('bench') },
    { clients: 4, pause: 1 },
  );
  for (let deployed = 1; deployed <= size; deployed += 1) {
    repository.write({ 'note.txt': String(deployed) });
    await repository.commit(`Change ${deployed}`);
    await push();
    await until('visitors', () => traffic.answered() >= deployed * visitsEach, { timeout: 60_000 });
    if (deployed % 20 === 0) note(`${deployed} deploys, ${traffic.answered()} visits`);
  }
  const { sent, failures } = await traffic.end();
  return {
    wrongs: [...wrongs, ...failures.map(failure => `a request failed: ${failure}`)],
    rows: [
      {
        what: `requests that failed, of ${sent}, over ${size} deploys`,
        value: String(failures.length),
        aim: '0',
      },
    ],
    metrics: { deploy_failed: failures.length, deploy_requests: sent },
  };
}
