// Everything at once, at random, for as many minutes as are asked for; how often a promise was broken. WHERRY_FUZZ_SEED repeats a run.
import { fuzzSeed } from '../support/random.ts';
import { soak } from '../support/soak/soak.ts';
import { note, onFreshWherry, report, runsAsked } from './report.ts';

await onFreshWherry(async wherry => {
  const minutes = runsAsked(30);
  const seed = fuzzSeed();
  note(`seed ${seed}, ${minutes} minutes`);
  const soaked = await soak({ wherry, seed, lasts: minutes * 60_000, note });
  const deeds = Object.entries(soaked.deeds);
  report(
    'soak',
    [
      { what: 'promises broken', value: String(soaked.wrongs.length), aim: '0' },
      { what: 'visits as they should be', value: String(soaked.visits) },
      { what: 'visits cut off by a kill or a crash that was meant', value: String(soaked.excused) },
      { what: 'times that an app was woken', value: String(soaked.wakes) },
      ...deeds.map(([name, times]) => ({ what: name, value: String(times) })),
    ],
    {
      soak_broken: soaked.wrongs.length,
      soak_visits: soaked.visits,
      soak_excused: soaked.excused,
      soak_wakes: soaked.wakes,
      seed,
    },
  );
  if (soaked.wrongs.length > 0) process.exitCode = 1;
});
