import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withFileFrom } from '../../src/build/file-path.ts';
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
  withFileFrom(source, 'Procfile', undefined);
  withFileFrom(source, 'Procfile', 'Procfile');
  expect(procfile()).toBe('web: first\n');
});

it('takes the one that is named in its place, whatever was there', () => {
  withFileFrom(source, 'Procfile', 'deploy/Procfile');
  expect(procfile()).toBe('web: other\n');
  const outside = join(source.dir, 'outside');
  writeFileSync(outside, 'untouched');
  rmSync(join(source.dir, 'Procfile'));
  symlinkSync(outside, join(source.dir, 'Procfile'));
  withFileFrom(source, 'Procfile', 'deploy/Procfile');
  expect(procfile()).toBe('web: other\n');
  expect(readFileSync(outside, 'utf8')).toBe('untouched');
});

it.each(['deploy/none', 'deploy/link', 'deploy', 'none/Procfile'])(
  'refuses %s, which is no plain file',
  path => {
    expect(() => withFileFrom(source, 'Procfile', path)).toThrow(
      /is no file in commit aaaaaaaa.*procfile-path/,
    );
    expect(procfile()).toBe('web: first\n');
  },
);

it('takes an app.json from elsewhere too, and says by which command', () => {
  writeFileSync(join(source.dir, 'deploy/app.json'), '{ "name": "x" }');
  withFileFrom(source, 'app.json', 'deploy/app.json');
  expect(readFileSync(join(source.dir, 'app.json'), 'utf8')).toBe('{ "name": "x" }');
  expect(() => withFileFrom(source, 'app.json', 'deploy/link')).toThrow(
    'app.json deploy/link is no file in commit aaaaaaaa. Push one of that name, or change it with "app-json:set APP appjson-path".',
  );
});
