import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMemoryPressure } from '../../src/system/memory-pressure.ts';
import { createSaturation } from '../../src/system/saturation.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-pressure-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const pressure = (some: number) =>
  put(
    'pressure',
    `some avg10=${some.toFixed(2)} avg60=99.00 avg300=99.00 total=1\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=1\n`,
  );
const meminfo = (available: number) =>
  put('meminfo', `MemTotal:       1000 kB\nMemFree:           1 kB\nMemAvailable:    ${available} kB\n`);

it.each([
  ['tasks wait for it', 10.1, 900, true],
  ['nobody waits and much is left', 10, 900, false],
  ['next to nothing is left', 0, 49, true],
  ['just enough is left', 0, 50, false],
])('says whether memory is short: %s', (_, some, available, expected) => {
  expect(createMemoryPressure({ pressure: pressure(some), meminfo: meminfo(available) })()).toBe(expected);
});

it.each([
  ['has no such files', undefined],
  ['says nonsense', 'some avg10=none\nMemTotal: x\n'],
])('takes memory as enough where the kernel %s', (_, text) => {
  const file = text === undefined ? join(dir, 'none') : put('file', text);
  expect(createMemoryPressure({ pressure: file, meminfo: file })()).toBe(false);
});

it('reads what the kernel of this host says', () => {
  expect(typeof createMemoryPressure()()).toBe('boolean');
});

it('says whether processors are short', () => {
  expect(createSaturation(pressure(60.1))()).toBe(true);
  expect(createSaturation(pressure(60))()).toBe(false);
});
