import { describe, expect, it } from 'vitest';
import { checkPattern, matchPath } from '../../../src/build/lifecycle/glob.ts';

describe("Go's filepath.Match", () => {
  it.each([
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['**', 'a/b', false],
    ['**/x', 'a/x', true],
    ['**/x', 'a/b/x', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['a???b', 'a☺b', false],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['a?b', 'a/b', false],
    ['a*b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'z', false],
    ['', '', true],
    ['', 'a', false],
    ['*.js', 'a.js', true],
    ['*.js', 'dir/a.js', false],
  ])('E4 %j on %j: %s', (pattern, path, matches) => {
    expect(matchPath(pattern, path)).toBe(matches);
    expect(() => checkPattern(pattern, 'x')).not.toThrow();
  });

  it.each(['[', '[]', '[]a]', '[-]', '[x-]', '[-x]', '[a', 'a\\', '[^'])('E4 refuses %j', pattern => {
    expect(() => checkPattern(pattern, 'launch.toml of a')).toThrow('launch.toml of a: ');
    expect(matchPath(pattern, pattern)).toBe(false);
  });

  it('E4 does not take forever over a pattern that is all stars', () => {
    const begun = performance.now();
    expect(matchPath('a*'.repeat(200), `${'a'.repeat(4000)}b/`)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});
