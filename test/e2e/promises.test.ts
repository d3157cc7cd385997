// The short form of `bin/bench soak`. The seed is printed; WHERRY_FUZZ_SEED repeats what is done, WHERRY_FUZZ_SECONDS makes it longer.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { strays } from '../support/invariants.ts';
import { fuzzSeed } from '../support/random.ts';
import { soak } from '../support/soak/soak.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const seed = fuzzSeed();
const seconds = Number(process.env['WHERRY_FUZZ_SECONDS'] ?? 20);
let wherry: Wherry;
beforeAll(async () => {
  wherry = await startWherry();
});
afterAll(() => wherry?.stop());

it(`no visitor notices sleep, deploys, scaling or kills, and nobody else wakes apps (seed ${seed}, ${seconds} s)`, {
  timeout: seconds * 1000 + 240_000,
}, async () => {
  const soaked = await soak({ wherry, seed, lasts: seconds * 1000 });
  expect(soaked.wrongs, `of ${JSON.stringify(soaked)}`).toEqual([]);
  expect(soaked.visits).toBeGreaterThan(seconds);
  expect(soaked.wakes).toBeGreaterThan(0);
  await until('nothing that nobody needs', async () => (await strays(wherry.data)).length === 0, {
    timeout: 60_000,
    every: 500,
  });
});
