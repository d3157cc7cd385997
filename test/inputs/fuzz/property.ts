import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WherryError } from '../../../src/domain/errors.ts';
import { fuzzSeed } from '../../support/random.ts';

/** Of all properties of a run; each prints it in its title. */
const seed = fuzzSeed();
const runs = Number(process.env['WHERRY_FUZZ_RUNS'] ?? 150);
/** Milliseconds for one input, however long; what is slow by its form takes minutes. */
const patience = 2_000;

export type Property<Input> = {
  readonly of: fc.Arbitrary<Input>;
  /** A file of inputs that once were found to be trouble. */
  readonly corpus?: string;
  /** Times fewer runs, of what takes long. */
  readonly costs?: number;
  readonly holds: (input: Input) => void | Promise<void>;
};

/** What must hold of whatever comes in. `WHERRY_FUZZ_SEED` repeats a run, `WHERRY_FUZZ_RUNS` makes it longer. */
export function always<Input>(title: string, { of, corpus, costs = 1, holds }: Property<Input>): void {
  it(`${title} (seed ${seed})`, { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(of, async input => {
      const begun = performance.now();
      await holds(input);
      expect(performance.now() - begun, 'milliseconds').toBeLessThan(patience);
    });
    const examples = corpus === undefined ? [] : corpusOf<Input>(corpus);
    await fc.assert(property, {
      ...{ seed, numRuns: Math.ceil(runs / costs) + examples.length },
      examples: examples.map((input): [Input] => [input]),
    });
  });
}

/** What it gives, or undefined where it refuses as it should: by a `WherryError` of one printable sentence. */
export function orRefused<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (error) {
    judge(error);
    return undefined;
  }
}

/** The same of what takes its time. */
export async function orRefusedLater<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    judge(error);
    return undefined;
  }
}

function judge(error: unknown): void {
  if (!(error instanceof WherryError)) throw error;
  expect(error.message).toMatch(/^[\x20-\x7e\u00a0-\u2029\u2030-\u2065]{8,900}$/);
}

/** Text made of the words that mean something to a parser, of anything at all, and of one thing over and over. */
export function hostileText(words: readonly string[], longest = 20_000): fc.Arbitrary<string> {
  const anything = fc.string({ unit: 'binary', maxLength: 30 });
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: anything },
  );
  const sentence = fc.array(word, { maxLength: 30 }).map(parts => parts.join(''));
  const endless = fc
    .tuple(sentence, fc.constantFrom(...words), fc.nat(longest), sentence)
    .map(
      ([before, part, times, after]) =>
        before + part.repeat(Math.ceil(times / Math.max(1, part.length))) + after,
    );
  return fc.oneof(
    { weight: 6, arbitrary: sentence },
    { weight: 2, arbitrary: anything },
    { weight: 1, arbitrary: endless },
  );
}

/** Bytes that are nearly what they should be: some changed, cut off, or doubled. */
export function nearly(whole: Buffer): fc.Arbitrary<Buffer> {
  const change = fc.tuple(fc.nat(Math.max(0, whole.length - 1)), fc.integer({ min: 0, max: 255 }));
  return fc
    .tuple(fc.array(change, { maxLength: 6 }), fc.option(fc.nat(whole.length), { freq: 2, nil: undefined }))
    .map(([changes, cut]) => {
      const bytes = Buffer.from(whole);
      for (const [at, byte] of changes) bytes[at] = byte;
      return cut === undefined ? bytes : bytes.subarray(0, cut);
    });
}

function corpusOf<Input>(name: string): readonly Input[] {
  const file = new URL(`../corpus/${name}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Input[]) : [];
}
