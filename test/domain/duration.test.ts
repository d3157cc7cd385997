import { expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/domain/duration.ts';

it.each([
  ['90', 90_000],
  ['0', 0],
  ['250ms', 250],
  ['90s', 90_000],
  ['15m', 900_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
])('reads %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it.each(['', ' 5s', '5 s', '-5s', '1.5h', '1h30m', '5S', '5w', '0x10', '1e3', '1234567890', '５s', '5s\n'])(
  'refuses %j naming it and the remedy',
  text => {
    expect(() => parseDuration(text)).toThrow(/^".*" is not a duration\. Give for example 90s, 15m or 2h\.$/);
  },
);

it.each([
  [0, '0ms'],
  [1, '1ms'],
  [1500, '1500ms'],
  [90_000, '90s'],
  [900_000, '15m'],
  [5_400_000, '90m'],
  [86_400_000, '24h'],
])('writes %d so that it is read again', (milliseconds, text) => {
  expect(formatDuration(milliseconds)).toBe(text);
  expect(parseDuration(text)).toBe(milliseconds);
});
