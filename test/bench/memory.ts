// What the platform itself takes with ten running apps: proportional memory of control and edge, and of each instance's supervisor.
import { readdirSync, readFileSync } from 'node:fs';
import { probe } from '../support/apps.ts';
import { sleep } from '../support/until.ts';
import { mb, median, note, onFreshWherry, report, runsAsked } from './report.ts';
import { pss } from './support/pss.ts';

const apps = 10;

await onFreshWherry(async wherry => {
  const runs = runsAsked(5);
  for (let app = 1; app <= apps; app += 1) {
    const pushed = await (await wherry.repository(`app-${app}`, { from: probe })).push();
    if (pushed.code !== 0) throw new Error(pushed.output);
    note(`app ${app} of ${apps} runs`);
  }
  for (let app = 1; app <= apps; app += 1) await wherry.get(`app-${app}`);
  await sleep(10_000);
  const samples: ReturnType<typeof measure>[] = [];
  for (let run = 0; run < runs; run += 1) {
    samples.push(measure(wherry.data, wherry.daemonPid()));
    await sleep(1000);
  }
  const of = (key: keyof ReturnType<typeof measure>) => median(samples.map(sample => sample[key]));
  report(
    'memory',
    [
      { what: `control and edge with ${apps} apps`, value: mb(of('platform')), aim: '140 MB' },
      { what: '  control', value: mb(of('control')) },
      { what: '  edge', value: mb(of('edge')) },
      { what: 'supervisor of an instance (conmon)', value: mb(of('supervisor')), aim: '3 MB' },
      { what: 'init inside an instance', value: mb(of('init')) },
    ],
    { platform_pss_mb: of('platform'), supervisor_pss_mb: of('supervisor') },
  );
});

type Process = { readonly pid: number; readonly parent: number; readonly words: readonly string[] };

function measure(data: string, daemon: number) {
  const all = processes();
  const conmons = all.filter(
    ({ words }) => /conmon$/.test(words[0] ?? '') && words.some(word => word.includes(data)),
  );
  if (conmons.length !== apps)
    throw new Error(`There are ${conmons.length} supervisors for ${apps} instances.`);
  const supervised = new Set(conmons.map(({ pid }) => pid));
  const inits = all.filter(({ parent }) => supervised.has(parent));
  const edges = all.filter(({ words }) => words.includes('edge') && words.some(word => word.includes(data)));
  if (edges.length === 0) throw new Error('The edge was not found.');
  const control = total(family(all, daemon, [...conmons, ...edges]));
  const edge = total(edges);
  return {
    platform: control + edge,
    control,
    edge,
    supervisor: total(conmons) / conmons.length,
    init: total(inits) / Math.max(1, inits.length),
  };
}

/** The daemon and whatever it keeps running, but for what is counted elsewhere. */
function family(all: readonly Process[], root: number, others: readonly Process[]): Process[] {
  const counted = new Set(others.map(({ pid }) => pid));
  const children = all.filter(({ parent, pid }) => parent === root && !counted.has(pid));
  return [
    ...all.filter(({ pid }) => pid === root),
    ...children.flatMap(({ pid }) => family(all, pid, others)),
  ];
}

/** Megabytes of proportional set size. */
function total(group: readonly Process[]): number {
  return group.reduce((sum, { pid }) => sum + pss(pid), 0);
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => ({
      pid: Number(name),
      parent: Number(read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1] ?? 0),
      words: read(`/proc/${name}/cmdline`).split('\0'),
    }));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
