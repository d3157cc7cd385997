import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = new URL('../../src/', import.meta.url).pathname;

/** Files that are loaded with a file: what it imports for good, and what that does; not what it imports when it comes to it. */
function loadedWith(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  for (const [, path = ''] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from '(\.[^']*)';/gms))
    loadedWith(resolve(file, '..', path), seen);
  return seen;
}

const loaded = (path: string) => [...loadedWith(`${source}${path}`)].map(file => relative(source, file));

describe('the start of the client', () => {
  it('loads its own files and few others, for each takes its time', () => {
    const files = [...loaded('main.ts'), ...loaded('cli/main.ts')];
    expect(files).toContain('cli/exec.ts');
    expect(files.filter(file => !file.startsWith('cli/')).sort()).toEqual([
      'domain/errors.ts',
      'domain/errors.ts',
      'domain/words.ts',
      'main.ts',
    ]);
  });

  it('would be found slow if it brought the registry', () => {
    expect(loaded('cli/offline.ts')).toContain('commands/registry.ts');
  });
});
