// The builder alone, from a checkout to an image: no git, no start of the app. In a data directory of its own, over the
// host's cache of stacks and runtimes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAppName } from '../../src/domain/names.ts';
import { type BuildBench, fixtures, openBench } from '../build/support/bench.ts';
import { makeBuildpacks } from '../build/support/buildpacks.ts';
import { mb, median, ms, note, report, runsAsked } from './report.ts';
import { dependencyOverheads } from './support/dependencies.ts';
import { growthOver } from './support/growth.ts';

const runs = runsAsked(10);
const many = 30_000;

const [cold, warm] = await twoBuildpacks();
const bench = await openBench();
try {
  await bench.builder.prepare({ header: note, step: note, detail: note, warn: note, raw: note });
  const node = await codeOnly(bench, 'express', 'server.js', text => `${text}\n`);
  const site = await codeOnly(bench, 'static-site', 'index.html', text => `${text}<!-- -->`);
  const unchanged = await again(bench, 'express');
  const packages = await dependencyOverheads(bench, runs);
  const growth = await growthOver(many);
  report(
    'build',
    [
      { what: `unchanged app, median of ${runs}`, value: ms(median(unchanged)), aim: '300 ms' },
      { what: 'Node app, code changed, median', value: ms(median(node)), aim: '1000 ms' },
      { what: 'static site, page changed, median', value: ms(median(site)), aim: '700 ms' },
      { what: 'two shell buildpacks, first build, median', value: ms(median(cold)), aim: '1500 ms' },
      { what: 'the same again with another file, median', value: ms(median(warm)), aim: '1000 ms' },
      {
        what: 'one dependency more in 200, beyond npm ci, median',
        value: ms(median(packages.added)),
        aim: '1500 ms',
      },
      {
        what: 'first build of 200 packages, beyond npm ci, median',
        value: ms(median(packages.first)),
        aim: '3000 ms',
      },
      { what: `memory over a build of ${many} files`, value: mb(growth), aim: '60 MB' },
    ],
    {
      unchanged_ms: median(unchanged),
      node_code_ms: median(node),
      static_ms: median(site),
      cnb_cold_ms: median(cold),
      cnb_warm_ms: median(warm),
      node_dep_overhead_ms: median(packages.added),
      node_first_overhead_ms: median(packages.first),
      daemon_growth_mb: growth,
    },
  );
} finally {
  await bench.close();
}

/** Two detects, two builds, export: of an app that was never built, and of the same with one file changed. */
async function twoBuildpacks(): Promise<readonly [readonly number[], readonly number[]]> {
  const layer = (flags: string) =>
    `mkdir -p $1/l; echo 1 > $1/l/file; printf '[types]\\n${flags}\\n' > $1/l.toml`;
  const { dir, remove } = makeBuildpacks({
    'bench/one': { build: layer('build = true\\ncache = true') },
    'bench/two': {
      build: `${layer('launch = true')}; printf '[[processes]]\\ntype = "web"\\ncommand = ["true"]\\n' > $1/launch.toml`,
    },
  });
  const trivial = await openBench({
    buildpacksDir: dir,
    order: [[{ id: 'bench/one' }, { id: 'bench/two' }]],
  });
  const source = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  writeFileSync(join(source, 'file'), '');
  try {
    const times: { readonly cold: number; readonly warm: number }[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const app = parseAppName(`cnb-${run}`);
      const change = (checkout: string) => writeFileSync(join(checkout, 'file'), `${run}`);
      const { ms: first } = await trivial.build(source, { app });
      const { ms: second } = await trivial.build(source, { app, change });
      times.push({ cold: first, warm: second });
    }
    // The first run also waits for what a daemon has ready long before anybody pushes.
    const counted = times.slice(1);
    return [counted.map(time => time.cold), counted.map(time => time.warm)];
  } finally {
    await trivial.close();
    remove();
    rmSync(source, { recursive: true, force: true });
  }
}

/** Milliseconds of builds in each of which one file of the app is another. */
async function codeOnly(
  { build }: BuildBench,
  fixture: string,
  file: string,
  edit: (text: string) => string,
): Promise<readonly number[]> {
  const app = parseAppName(fixture);
  const first = await build(join(fixtures, fixture), { app });
  note(`${fixture}, first build: ${ms(first.ms)}`);
  let text = readFileSync(join(fixtures, fixture, file), 'utf8');
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    text = edit(text);
    const change = (checkout: string) => writeFileSync(join(checkout, file), text);
    times.push((await build(join(fixtures, fixture), { app, change })).ms);
  }
  return times;
}

async function again({ build }: BuildBench, fixture: string): Promise<readonly number[]> {
  const app = parseAppName(fixture);
  await build(join(fixtures, fixture), { app });
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push((await build(join(fixtures, fixture), { app })).ms);
  return times;
}
