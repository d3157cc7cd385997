// Commands with 50 apps: what the server takes for `apps:list` over SSH, and the local client in all.
import type { Wherry } from '../support/wherry.ts';
import { median, ms, note, onFreshWherry, quantile, report, runsAsked } from './report.ts';

const apps = 50;
const warmUp = 3;

await onFreshWherry(async wherry => {
  const runs = runsAsked(40);
  for (let app = 1; app <= apps; app += 1) await held(wherry.cli('apps:create', `app-${app}`));
  note(`${apps} apps made`);
  const server: number[] = [];
  const ssh: number[] = [];
  const client: number[] = [];
  for (let run = 1 - warmUp; run <= runs; run += 1) {
    const remote = await held(wherry.ssh('--trace', 'apps:list'));
    const local = await held(wherry.cli('apps:list'));
    if (run <= 0) continue;
    server.push(serverTime(remote.output));
    ssh.push(remote.ms);
    client.push(local.ms);
  }
  report(
    'commands',
    [
      {
        what: `apps:list over SSH, server side, p95 of ${runs}`,
        value: ms(quantile(server, 0.95)),
        aim: '20 ms',
      },
      { what: 'apps:list over SSH, server side, median', value: ms(median(server)) },
      { what: 'apps:list over SSH, in all, median', value: ms(median(ssh)) },
      { what: 'apps:list by the local client, in all, median', value: ms(median(client)), aim: '150 ms' },
    ],
    { server_ms_p95: quantile(server, 0.95), client_ms_p50: median(client) },
  );
});

async function held(running: ReturnType<Wherry['cli']>) {
  const result = await running;
  if (result.code !== 0) throw new Error(result.output);
  return result;
}

/** Sum of the parts that `--trace` tells: `trace: apps:list parse 0.1 ms, run 0.4 ms, print 0.2 ms`. */
function serverTime(output: string): number {
  const line = output.split('\n').find(text => text.includes('trace: apps:list')) ?? '';
  const parts = [...line.matchAll(/([\d.]+) ms/g)].map(match => Number(match[1]));
  if (parts.length === 0) throw new Error(`No trace in:\n${output}`);
  return parts.reduce((total, part) => total + part, 0);
}
