// The inputs that somebody with bad intentions tries first, 1 to 75, and where each is shown to be refused, kept as it is, or
// bounded. A test that goes, or is called otherwise, is missed here.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rows } from './rows.ts';

const tests = new URL('..', import.meta.url).pathname;
const sources = new Map<string, string>();

function sourceOf(file: string): string {
  const path = join(tests, file);
  if (!sources.has(file)) sources.set(file, existsSync(path) ? readFileSync(path, 'utf8') : '');
  return sources.get(file) ?? '';
}

describe('the hostile inputs', () => {
  it('are all there, each once', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 75 }, (_, at) => at + 1));
  });

  it.each(rows)('$number $input: every proof is a test', ({ proofs }) => {
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter(([, , file, title]) => !shows(sourceOf(file), title))).toEqual([]);
  });

  it('are looked for in what tests say, not in what they are', () => {
    const source = "it('does it', () => {});\nconst doing = 1; // does not\n['a case', 1]";
    expect(shows(source, 'does it')).toBe(true);
    expect(shows(source, 'a case')).toBe(true);
    expect(shows(source, 'does not')).toBe(false);
    expect(shows(source, 'doing')).toBe(false);
  });
});

/** Whether a quoted text of the source holds the title. */
function shows(source: string, title: string): boolean {
  return source
    .split('\n')
    .some(line =>
      [...line.matchAll(/(['"`])((?:\\.|(?!\1).)*)\1/g)].some(([, , text = '']) =>
        unquoted(text).includes(title),
      ),
    );
}

function unquoted(text: string): string {
  return text.replace(/\\(['"`])/g, '$1');
}
