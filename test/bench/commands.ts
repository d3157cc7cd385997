// Commands on a platform with many apps and domains: what the server takes, what the local client takes in all, and many SSH
// sessions at once.
import { openSession, type SshSession } from '../support/ssh-session.ts';
import type { Wherry } from '../support/wherry.ts';
import { median, ms, note, onFreshWherry, quantile, type Row, report, runsAsked } from './report.ts';

const apps = 200;
const domainsPerApp = 10;
const sessions = 50;
const warmUp = 3;
const asked = [
  'apps:list',
  'ps:report app-1',
  'config:get app-1 GREETING',
  'domains:report app-1',
  'urls app-1',
];
const reports = ['apps:report', 'ps:report', 'domains:report', 'proxy:report', 'resource:report'];

await onFreshWherry(async wherry => {
  const runs = runsAsked(40);
  const session = await openSession(wherry);
  await fill(session);
  const servers = await each(asked, async line => quantile(await serverTimes(session, line, runs), 0.95));
  const alls = await each(reports, async line => median(await serverTimes(session, line, 5)));
  session.close();
  const client = await clientTimes(wherry, runs);
  const crowd = await crowded(wherry);
  const strangers = await strangersAtOnce(wherry);
  const worst = Math.max(...servers.values());
  const worstReport = Math.max(...alls.values());
  const rows: Row[] = [
    ...[...servers].map(([line, value]) => ({
      what: `${line}, server, p95 of ${runs}`,
      value: ms(value),
      aim: '20 ms',
    })),
    ...[...alls].map(([line, value]) => ({
      what: `${line} over ${apps} apps, server, median`,
      value: ms(value),
      aim: '300 ms',
    })),
    { what: 'apps:list by the local client, in all, median', value: ms(median(client)), aim: '150 ms' },
    { what: `${sessions} sessions at once: commands lost`, value: String(crowd.failed), aim: '0' },
    {
      what: `${sessions} sessions at once: a command, p95`,
      value: ms(quantile(crowd.times, 0.95)),
      aim: '500 ms',
    },
    { what: `${sessions} OpenSSH clients at once: lost`, value: String(strangers.failed), aim: '0' },
    {
      what: `${sessions} OpenSSH clients at once: start to end, p95`,
      value: ms(quantile(strangers.times, 0.95)),
    },
  ];
  report('commands', rows, {
    server_ms_p95: worst,
    report_all_ms: worstReport,
    client_ms_p50: median(client),
    ssh50_failed: crowd.failed + strangers.failed,
    ssh50_ms_p95: quantile(crowd.times, 0.95),
    ssh50_clients_ms_p95: quantile(strangers.times, 0.95),
  });
});

async function fill(session: SshSession): Promise<void> {
  for (let app = 1; app <= apps; app += 1) {
    await session.exec(`apps:create app-${app}`);
    const domains = Array.from({ length: domainsPerApp }, (_, at) => `d${at}.app-${app}.example.com`);
    await session.exec(`domains:add app-${app} ${domains.join(' ')}`);
  }
  await session.exec('config:set --no-restart app-1 GREETING=hello');
  note(`${apps} apps with ${apps * domainsPerApp} domains made`);
}

async function each(
  lines: readonly string[],
  measure: (line: string) => Promise<number>,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const line of lines) found.set(line, await measure(line));
  return found;
}

async function serverTimes(session: SshSession, line: string, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let run = 1 - warmUp; run <= runs; run += 1) {
    const time = serverTime(await session.exec(`--trace ${line}`));
    if (run > 0) times.push(time);
  }
  return times;
}

async function clientTimes(wherry: Wherry, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let run = 1 - warmUp; run <= runs; run += 1) {
    const { ms: time } = await held(wherry.cli('apps:list'));
    if (run > 0) times.push(time);
  }
  return times;
}

/** Connected beforehand; each runs a few commands as fast as it gets answers. */
async function crowded(wherry: Wherry): Promise<{ failed: number; times: number[] }> {
  const open = await Promise.all(Array.from({ length: sessions }, () => openSession(wherry)));
  const times: number[] = [];
  let failed = 0;
  await Promise.all(
    open.map(async (session, at) => {
      for (const line of asked) {
        const begun = performance.now();
        const done = await session.exec(line.replace('app-1', `app-${at + 1}`)).then(
          () => true,
          error => line.startsWith('config:get') && / ended with 1:/.test(String(error)),
        );
        times.push(performance.now() - begun);
        if (!done) failed += 1;
      }
      session.close();
    }),
  );
  return { failed, times };
}

/** Each with its own start, key exchange and login. */
async function strangersAtOnce(wherry: Wherry): Promise<{ failed: number; times: number[] }> {
  const runs = await Promise.all(Array.from({ length: sessions }, () => wherry.ssh('apps:list')));
  return { failed: runs.filter(({ code }) => code !== 0).length, times: runs.map(run => run.ms) };
}

async function held(running: ReturnType<Wherry['cli']>) {
  const result = await running;
  if (result.code !== 0) throw new Error(result.output);
  return result;
}

/** Sum of the parts that `--trace` tells: `trace: apps:list parse 0.1 ms, run 0.4 ms, print 0.2 ms`. */
function serverTime(output: string): number {
  const line = output.split('\n').findLast(text => text.includes('trace: ')) ?? '';
  const parts = [...line.matchAll(/([\d.]+) ms/g)].map(match => Number(match[1]));
  if (parts.length === 0) throw new Error(`No trace in:\n${output}`);
  return parts.reduce((total, part) => total + part, 0);
}
