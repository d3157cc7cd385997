// Push to live: a one-line change to the Express app, from `git push` to the first answer of the new version.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { express } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { sleep } from '../support/until.ts';
import type { Wherry } from '../support/wherry.ts';
import { median, ms, note, onFreshWherry, quantile, report, runsAsked } from './report.ts';

/** Milliseconds by hand with Docker on the machine of the issue: build, run, first answer, proxy reload; without git. */
const dockerByHand = 1470;
const warmUp = 2;

type Sample = { readonly live: number; readonly push: number };
type Trace = Readonly<Record<string, number>>;

await onFreshWherry(async wherry => {
  const runs = runsAsked(15);
  const repository = await wherry.repository('bench', { from: express });
  const first = await repository.push();
  if (first.code !== 0) throw new Error(first.output);
  note(`first push, with npm packages: ${ms(first.ms)}`);
  const server = readFileSync(join(repository.dir, 'server.js'), 'utf8');
  const samples: Sample[] = [];
  for (let run = 1 - warmUp; run <= runs; run += 1) {
    const sample = await pushChange(wherry, repository, { server, text: `Change ${run + warmUp}.` });
    if (run > 0) samples.push(sample);
  }
  tell(samples, deployTraces(wherry.log()).slice(-runs));
});

async function pushChange(
  wherry: Wherry,
  repository: Repository,
  { server, text }: { server: string; text: string },
): Promise<Sample> {
  repository.write({ 'server.js': server.replace('Hello from version one', text) });
  await repository.commit(text);
  const begun = performance.now();
  const pushing = repository.push();
  const live = firstAnswer(wherry, text).then(() => performance.now() - begun);
  const pushed = await pushing;
  if (pushed.code !== 0) throw new Error(pushed.output);
  return { live: await live, push: pushed.ms };
}

async function firstAnswer(wherry: Wherry, text: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const answer = await wherry.get('bench');
    if (answer.text.startsWith(text)) return;
    await sleep(10);
  }
  throw new Error(`The new version did not answer within a minute.`);
}

/** What the daemon says about each deploy, oldest first: milliseconds by part. */
function deployTraces(log: string): Trace[] {
  return log
    .split('\n')
    .filter(line => line.includes('"msg":"deployed"'))
    .map(line => JSON.parse(line).ms as Trace);
}

function tell(samples: readonly Sample[], traces: readonly Trace[]): void {
  const live = samples.map(sample => sample.live);
  // Waiting until the app is ready is the app's boot; all else of the deploy is Wherry's own.
  const own = traces.map(trace => (trace['total'] ?? Number.NaN) - (trace['ready'] ?? Number.NaN));
  const outside = samples.map((sample, run) => sample.push - (traces[run]?.['ready'] ?? 0));
  const parts = Object.keys(traces[0] ?? {});
  report(
    'push',
    [
      { what: `push to live, median of ${samples.length}`, value: ms(median(live)), aim: '1500 ms' },
      { what: 'push to live, p95', value: ms(quantile(live, 0.95)) },
      { what: 'against Docker by hand (1470 ms)', value: `${(median(live) / dockerByHand).toFixed(2)} x` },
      { what: 'git push in all, median', value: ms(median(samples.map(sample => sample.push))) },
      { what: "Wherry's own work, median", value: ms(median(own)), aim: '800 ms' },
      // An upper bound that trusts no trace: ssh, git and all that Wherry does.
      { what: 'git push less the boot, median', value: ms(median(outside)) },
      ...parts.map(part => ({
        what: `  ${part}, median`,
        value: ms(median(traces.map(trace => trace[part] ?? 0))),
      })),
    ],
    { live_ms_p50: median(live), own_ms_p50: median(own) },
  );
}
