import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const sections = page
  .split(/^## /m)
  .slice(1)
  .map(text => ({ title: text.split('\n')[0] ?? '', text }));
/** `FILE`: "TITLE", one a line. */
const proof = /^- `(test\/[^`]+)`: "(.+)"$/gm;

describe('docs/security.md', () => {
  it.each(sections)('says of "$title" what is promised, how, and what is not', ({ text }) => {
    for (const part of ['**Promised:**', '**How:**', '**Proved by:**', '**Not promised:**'])
      expect(text).toContain(part);
    const listed = text.match(/^- .*$/gm) ?? [];
    expect(listed.length).toBeGreaterThan(0);
    expect(listed.filter(line => !new RegExp(proof.source).test(line))).toEqual([]);
  });

  it.each([...page.matchAll(proof)].map(([, file = '', title = '']) => ({ file, title })))(
    'names a test that is there: $file, $title',
    ({ file, title }) => {
      expect(isTest(file, title)).toBe(true);
    },
  );

  it('would be found out if it named one that is not', () => {
    expect(isTest('test/docs/security.test.ts', 'would be found out if it named one that is not')).toBe(true);
    expect(isTest('test/docs/security.test.ts', ['no', 'such', 'test'].join(' '))).toBe(false);
    expect(isTest('test/docs/none.test.ts', 'none')).toBe(false);
  });
});

/** Whether that file has a test, or a table of tests, of that title. */
function isTest(file: string, title: string): boolean {
  const path = join(root, file);
  if (!existsSync(path)) return false;
  const source = readFileSync(path, 'utf8').replaceAll("\\'", "'");
  return ["'", '"'].some(
    quote => source.includes(`(${quote}${title}${quote},`) || inTable(source, quote + title + quote),
  );
}

/** A title after the rows of its table stands on a line of its own, or behind the closing bracket. */
function inTable(source: string, quoted: string): boolean {
  return source.split('\n').some(line => line.trim() === `${quoted},`);
}
