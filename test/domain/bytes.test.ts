import { expect, it } from 'vitest';
import { formatBytes, parseMemory } from '../../src/domain/bytes.ts';

it.each([
  ['512', 512 * 2 ** 20],
  ['512m', 512 * 2 ** 20],
  ['512MB', 512 * 2 ** 20],
  ['1g', 2 ** 30],
  ['1.5g', 1.5 * 2 ** 30],
  ['8192k', 8 * 2 ** 20],
])('reads %s', (text, bytes) => {
  expect(parseMemory(text)).toBe(bytes);
});

it.each(['', '0', '-1', 'NaN', '999T', '0.1k', '1e9', 'Infinity', '12q', '1 2', '3m'])(
  'refuses %j naming it and the remedy',
  text => {
    expect(() => parseMemory(text)).toThrow(/^Memory ".*" (is not an amount|is out of range)\. Give/);
  },
);

it('writes amounts as people do', () => {
  expect(formatBytes(512 * 2 ** 20)).toBe('512m');
  expect(formatBytes(1.5 * 2 ** 30)).toBe('1.5g');
  expect(formatBytes(4096)).toBe('4k');
});
