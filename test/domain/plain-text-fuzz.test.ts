// What a terminal obeys, put together at random. The seed is printed; WHERRY_FUZZ_SEED repeats it.
import { expect, it } from 'vitest';
import { foreignLine, plainJson, plainText } from '../../src/domain/plain-text.ts';
import { fuzzSeed, mulberry } from '../support/random.ts';

const parts = [
  ...['\x1b', '[', ']', '(', 'P', '\\', '\x07', '\x9b', '\x9c', '\x9d', '\x90', '\x85', '\0', '\b', '\x7f'],
  ...['0;1', ';', ':', '?25', 'm', 'H', 'J', ' ', '\t', '\n', '\r', '\u202e', '\u2069', '\u200b', '\u2028'],
  ...['-----> ', '=====>', ' !     ', 'remote: ', 'x', 'ü', '👩‍👧', '\ud800'],
] as const;
const control = /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069]/;
const seed = fuzzSeed();

it('leaves nothing that moves a terminal or looks like the platform', () => {
  process.stdout.write(`seed ${seed}\n`);
  const random = mulberry(seed);
  for (let run = 0; run < 3000; run += 1) {
    const text = Array.from(
      { length: 1 + random() * 14 },
      () => parts[Math.floor(random() * parts.length)] ?? '',
    ).join('');
    const plain = plainText(text);
    expect(plain, JSON.stringify(text)).not.toMatch(control);
    expect(plainText(plain), JSON.stringify(text)).toBe(plain);
    const coloured = plainText(text, { colours: true });
    expect(coloured.replace(/\x1b\[[0-9;:]*m/g, ''), JSON.stringify(text)).toBe(plain);
    if (coloured !== plain) expect(coloured, JSON.stringify(text)).toMatch(/\x1b\[0m$/);
    // Behind a tab it stands further in as it is.
    for (const line of foreignLine(text).split('\n'))
      expect(line, JSON.stringify(text)).not.toMatch(/^[ \u200b]{0,6}(?:-----> |=====>| ! {5}|remote:)/);
    expect(JSON.parse(plainJson(JSON.stringify({ text }))), JSON.stringify(text)).toEqual({ text });
    expect(plainJson(JSON.stringify({ text }))).not.toMatch(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
  }
});
