// What must hold when things break, as figures: `bin/bench faults [FIGURE [SIZE]]...`; all of them at full size unless told. Each takes
// a Wherry of its own. WHERRY_FUZZ_SEED repeats a run.
import { fuzzSeed, mulberry } from '../support/random.ts';
import { build } from './faults/build.ts';
import { control } from './faults/control.ts';
import { crowd } from './faults/crowd.ts';
import { deploy } from './faults/deploy.ts';
import { edge } from './faults/edge.ts';
import type { Figure } from './faults/figure.ts';
import { loops } from './faults/loops.ts';
import { oom } from './faults/oom.ts';
import { reboot } from './faults/reboot.ts';
import { restore } from './faults/restore.ts';
import { note, onFreshWherry, report } from './report.ts';

const figures: Readonly<Record<string, Figure>> = {
  control,
  edge,
  deploy,
  oom,
  build,
  reboot,
  crowd,
  loops,
  restore,
};

const asked = readAsked(process.argv.slice(2));
const seed = fuzzSeed();
const all: Record<string, number> = {};
for (const { name, figure, size } of asked) {
  note(`${name}: ${size} ${figure.counts}, seed ${seed}`);
  await onFreshWherry(async wherry => {
    const { rows, metrics, wrongs } = await figure.measure(wherry, { size, random: mulberry(seed) });
    for (const wrong of wrongs) note(`WRONG ${wrong}`);
    const broken = { what: 'promises broken', value: String(wrongs.length), aim: '0' };
    report(`faults ${name}`, [...rows, broken], { ...metrics, broken: wrongs.length, size, seed });
    Object.assign(all, metrics);
    if (wrongs.length > 0) process.exitCode = 1;
  }, figure.env);
}
if (asked.length > 1) report('faults', [{ what: 'figures', value: String(asked.length) }], { ...all, seed });

/** @throws on a figure that there is none of, and a size that is no number */
function readAsked(words: readonly string[]): readonly { name: string; figure: Figure; size: number }[] {
  const names = words.filter(word => !/^\d+$/.test(word));
  return (names.length > 0 ? names : Object.keys(figures)).map(name => {
    const figure = figures[name];
    if (!figure)
      throw new Error(`There is no figure ${name}. Give some of ${Object.keys(figures).join(', ')}.`);
    const given = words[words.indexOf(name) + 1];
    return {
      name,
      figure,
      size: names.includes(name) && /^\d+$/.test(given ?? '') ? Number(given) : figure.size,
    };
  });
}
