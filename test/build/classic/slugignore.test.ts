import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { applySlugignore } from '../../../src/build/classic/slugignore.ts';
import { writeFiles } from '../support/buildpack-host.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-slugignore-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const has = (...names: string[]) => names.filter(name => existsSync(join(dir, name)));

it.each([
  ['*.psd', ['a.psd', 'deep/b.psd'], ['a.txt']],
  ['test', ['test/x', 'deep/test/y'], ['testing/z']],
  ['/test', ['test/x'], ['deep/test/y', 'testing/z']],
  ['docs/*.md', ['docs/a.md'], ['deep/docs/a.md', 'docs/deep/b.md']],
  ['docs/**/c.md', ['docs/c.md', 'docs/deep/er/c.md'], ['c.md']],
  ['logs/', ['logs/x'], ['deep/logs']],
  ['a?c', ['abc'], ['ac', 'a/c']],
  ['a+(b)', ['a+(b)'], ['aab']],
  ['# comment\n!keep\n\n', [], ['keep', '# comment']],
])('H14 .slugignore %j deletes what it names and nothing else', (rules, gone, kept) => {
  writeFiles(dir, Object.fromEntries([...gone, ...kept].map(name => [name, 'x'])));
  writeFiles(dir, { '.slugignore': rules });
  applySlugignore(dir);
  expect(has(...gone)).toEqual([]);
  expect(has(...kept)).toEqual(kept);
});

it('H14 .slugignore follows no link', () => {
  const outside = mkdtempSync(join(tmpdir(), 'wherry-outside-'));
  writeFiles(outside, { 'file.md': 'x' });
  symlinkSync(outside, join(dir, 'link'));
  writeFiles(dir, { '.slugignore': '*.md\nlink/**\n' });
  applySlugignore(dir);
  expect(readFileSync(join(outside, 'file.md'), 'utf8')).toBe('x');
  rmSync(outside, { recursive: true });
});
