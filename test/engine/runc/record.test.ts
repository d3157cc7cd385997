import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readExit, readRecord, readWhole } from '../../../src/engine/runc/record.ts';

it.each(['', '{"spec":{"id"', '\0\0\0\0'])('a record that a loss of power left as %j is none', async text => {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-record-'));
  const file = join(dir, 'record.json');
  writeFileSync(file, text);
  expect(await readRecord(file)).toBeUndefined();
  expect(await readExit(file)).toBeUndefined();
  writeFileSync(file, '{"prefix":"10.87"}');
  expect(await readWhole(file)).toEqual({ prefix: '10.87' });
  rmSync(dir, { recursive: true });
});
