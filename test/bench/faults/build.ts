import { probe } from '../../support/apps.ts';
import { ask } from '../../support/http.ts';
import { sleep } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { ms, note, quantile } from '../report.ts';
import type { Asked, Figure } from './figure.ts';

/** Eight loops, all the memory that there is to have, and a disk full of writing, until its time is over. */
const hostile = `
const { fork } = require('node:child_process');
const { writeFileSync, rmSync } = require('node:fs');
if (process.argv[2] === undefined) for (let at = 0; at < 8; at += 1) fork(__filename, ['loop' + at]);
const end = Date.now() + 20_000;
const eaten = [];
while (Date.now() < end) {
  if (process.argv[2] === 'loop0' && eaten.length < 4000) eaten.push(Buffer.alloc(2 ** 20, 1));
  if (process.argv[2] === 'loop1') { writeFileSync('/tmp/fill', Buffer.alloc(2 ** 24, 1)); rmSync('/tmp/fill'); }
}
`;

/** What a visitor of another app waits while a build takes all that it can get, against what it waits on a quiet host. */
export const build: Figure = { size: 5, counts: 'hostile builds', measure };

async function measure(wherry: Wherry, { size }: Asked) {
  const pushed = await (await wherry.repository('neighbour', { from: probe })).push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  const wrongs: string[] = [];
  const waits = async (until: () => boolean) => {
    const samples: number[] = [];
    while (!until()) {
      const begun = performance.now();
      const { status } = await ask({ port: wherry.httpPort, host: wherry.hostOf('neighbour') }).catch(
        error => ({ status: String(error) }),
      );
      if (status !== 200) wrongs.push(`a request to the neighbour failed: ${status}`);
      else samples.push(performance.now() - begun);
      await sleep(5);
    }
    return samples;
  };
  const quiet: number[] = [];
  const loud: number[] = [];
  for (let at = 1; at <= size; at += 1) {
    const end = performance.now() + 10_000;
    quiet.push(...(await waits(() => performance.now() > end)));
    const repository = await wherry.repository(`hostile${at}`, {
      files: {
        'package.json': JSON.stringify({ name: 'hostile', scripts: { build: 'node hostile.js' } }),
        'hostile.js': hostile,
        'server.js': '',
        Procfile: 'web: node server.js\n',
      },
    });
    let building = true;
    const push = repository.push().finally(() => {
      building = false;
    });
    loud.push(...(await waits(() => !building)));
    await push;
    note(`${at}: quiet p99 ${ms(quantile(quiet, 0.99))}, beside a build ${ms(quantile(loud, 0.99))}`);
  }
  const ratio = quantile(loud, 0.99) / quantile(quiet, 0.99);
  return {
    wrongs,
    rows: [
      { what: 'a visitor waits on a quiet host, p99', value: ms(quantile(quiet, 0.99)) },
      { what: 'beside a hostile build, p99', value: ms(quantile(loud, 0.99)) },
      { what: 'ratio', value: ratio.toFixed(2), aim: '2' },
    ],
    metrics: {
      neighbour_p99_ratio: ratio,
      neighbour_quiet_ms_p99: quantile(quiet, 0.99),
      neighbour_beside_ms_p99: quantile(loud, 0.99),
    },
  };
}
