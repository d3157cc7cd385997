/** The same numbers for the same seed, from 0 to below 1 (mulberry32). */
export function mulberry(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Of a test whose course is random: what WHERRY_FUZZ_SEED says, else another one each time. */
export const fuzzSeed = (): number => Number(process.env['WHERRY_FUZZ_SEED'] ?? Date.now() % 2 ** 31);

/** One of them, each as likely as its weight says. @throws on none */
export function weighted<Choice>(
  choices: readonly (readonly [number, Choice])[],
  random: () => number,
): Choice {
  let left = random() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, choice] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new Error('There is nothing to choose from.');
}
