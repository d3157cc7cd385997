// Sleep, wake, deploy, scale, kills and visitors at random, against a fake engine and a fake edge. The seed is printed;
// WHERRY_FUZZ_SEED repeats its schedule.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { fuzzSeed, mulberry } from '../support/random.ts';
import { type Weather, World } from './model/world.ts';

const seed = fuzzSeed();
const worlds = 24;
const steps = 80;

let dir: string;
afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));

it.each<[Weather, string]>([
  ['calm', 'no request fails, none is disturbed, and all is as desired in the end'],
  ['stormy', 'no request is disturbed, and all is as desired in the end, whatever crashes'],
])(`%s: %s (seed ${seed})`, { timeout: 120_000 }, async weather => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-model-'));
  const all = Array.from(
    { length: worlds },
    (_, at) =>
      new World({ random: mulberry(seed + at), weather, number: at + 1, dir: join(dir, String(at)) }),
  );
  try {
    await Promise.all(all.map(world => world.run(steps)));
  } finally {
    await Promise.all(all.map(world => world.close()));
  }
  expect(all.flatMap(({ wrongs }, at) => wrongs.map(wrong => `world ${at}, ${wrong}`))).toEqual([]);
  expect(all.reduce((sum, { answered }) => sum + answered, 0)).toBeGreaterThan(worlds * 5);
});
