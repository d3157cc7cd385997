import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insideBuildDir, parseBuildDir } from '../../src/build/build-dir.ts';
import type { Source } from '../../src/domain/push.ts';

let source: Source;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-dir-'));
  mkdirSync(join(dir, 'apps/web'), { recursive: true });
  writeFileSync(join(dir, 'apps/file'), '');
  symlinkSync('/etc', join(dir, 'outside'));
  symlinkSync('web', join(dir, 'apps/link'));
  source = { commit: 'a'.repeat(40), subject: '', dir, checkoutMs: 0 };
});
afterEach(() => rmSync(source.dir, { recursive: true, force: true }));

describe('a build directory', () => {
  it('is a folder of the repository, however it is written', () => {
    expect(['apps/web', './apps/web/', 'apps/web//'].map(parseBuildDir)).toEqual(Array(3).fill('apps/web'));
    expect(insideBuildDir(source, 'apps/web').dir).toBe(join(source.dir, 'apps/web'));
    expect(insideBuildDir(source, undefined)).toBe(source);
  });

  it.each(['', '.', '..', '/etc', '../etc', 'apps/../..', 'apps//web', 'a\0b', 'a\nb', '.git/hooks', 'a\\b'])(
    'cannot be %j',
    text => {
      expect(() => parseBuildDir(text)).toThrow(/is not a folder inside the repository/);
      expect(() => insideBuildDir(source, text)).toThrow(/is not a folder inside the repository/);
    },
  );

  it.each([
    ['outside', 'a symbolic link'],
    ['outside/ssh', 'a symbolic link'],
    ['apps/link', 'a symbolic link'],
    ['apps/file', 'no folder'],
    ['apps/none', 'missing'],
  ])('%s is refused: it is %s', (dir, kind) => {
    expect(() => insideBuildDir(source, dir)).toThrow(`Build directory ${dir} is ${kind} in commit aaaaaaaa`);
  });
});
