import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withProcfile } from '../../src/build/procfile-path.ts';
import type { Source } from '../../src/domain/push.ts';

let source: Source;
beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-procfile-'));
  mkdirSync(join(dir, 'deploy'));
  writeFileSync(join(dir, 'deploy/Procfile'), 'web: other\n');
  writeFileSync(join(dir, 'Procfile'), 'web: first\n');
  symlinkSync('/etc/hostname', join(dir, 'deploy/link'));
  source = { commit: 'a'.repeat(40), subject: '', dir, checkoutMs: 0 };
});
afterEach(() => rmSync(source.dir, { recursive: true }));
const procfile = () => readFileSync(join(source.dir, 'Procfile'), 'utf8');

it('leaves the Procfile as it is unless another is named', () => {
  withProcfile(source, undefined);
  withProcfile(source, 'Procfile');
  expect(procfile()).toBe('web: first\n');
});

it('takes the one that is named in its place, whatever was there', () => {
  withProcfile(source, 'deploy/Procfile');
  expect(procfile()).toBe('web: other\n');
  const outside = join(source.dir, 'outside');
  writeFileSync(outside, 'untouched');
  rmSync(join(source.dir, 'Procfile'));
  symlinkSync(outside, join(source.dir, 'Procfile'));
  withProcfile(source, 'deploy/Procfile');
  expect(procfile()).toBe('web: other\n');
  expect(readFileSync(outside, 'utf8')).toBe('untouched');
});

it.each(['deploy/none', 'deploy/link', 'deploy', 'none/Procfile'])(
  'refuses %s, which is no plain file',
  path => {
    expect(() => withProcfile(source, path)).toThrow(/is no file in commit aaaaaaaa.*procfile-path/);
    expect(procfile()).toBe('web: first\n');
  },
);
