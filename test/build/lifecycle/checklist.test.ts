import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// The contracts of buildpacks as numbered items: every one of them has a test whose title begins with its number, or with
// several (`R2 R6 writes ...`). What an item says is in the titles of its tests.

/** Letters of the items and how many there are of each. */
const items = {
  /** Cloud Native Buildpacks: API versions and descriptors. */
  A: 6,
  /** Detection, order and build plan. */
  D: 13,
  /** Restoring what the last build left. */
  R: 6,
  /** Building. */
  B: 9,
  /** Environment. */
  V: 8,
  /** Export. */
  E: 10,
  /** Launch. */
  L: 6,
  /** Security, users, project.toml, exit codes. */
  S: 7,
  /** Heroku's classic buildpacks. */
  H: 15,
} as const;
const all = Object.entries(items).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
);

/** Numbers that titles of tests begin with: the first string that `it`, `describe` or the call of an `each` is given. */
function numbersIn(text: string): readonly string[] {
  return [...text.matchAll(/\(\s*['"`]((?:[A-Z]\d{1,2} )+)/g)].flatMap(([, numbers = '']) =>
    numbers.trim().split(' '),
  );
}

/** Where builds and what runs of them are tested; other parts number their tests by lists of their own. */
const folders = ['build', 'domain', 'receive', 'runtime'];

function testFiles(): readonly string[] {
  const root = new URL('../..', import.meta.url).pathname;
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts') && folders.some(folder => name.startsWith(`${folder}/`)))
    .map(name => readFileSync(join(root, name), 'utf8'));
}

describe('the checklist of buildpacks', () => {
  it('has a test for every item', () => {
    const found = new Set(testFiles().flatMap(numbersIn));
    expect(all.filter(item => !found.has(item))).toEqual([]);
  });

  it('knows the items that tests name', () => {
    const letters = Object.keys(items);
    const strangers = testFiles()
      .flatMap(numbersIn)
      .filter(number => letters.includes(number.slice(0, 1)) && !all.includes(number));
    expect(strangers).toEqual([]);
  });

  it('finds numbers in titles, and not elsewhere', () => {
    const text = `
      it('A1 one', () => {}); it.each([['B2 no']])("B3 B4 each", () => {});
      it.each([1])(
        \`C5 below\`, () => {});
      it('says A6'); const text = 'D7 no'; it('E8');`;
    expect(numbersIn(text)).toEqual(['A1', 'B3', 'B4', 'C5']);
  });
});
