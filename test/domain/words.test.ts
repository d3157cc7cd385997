import { describe, expect, it } from 'vitest';
import { longestCommand, splitWords } from '../../src/domain/words.ts';

describe('splitting a command line into words', () => {
  const cases: [string, string[]][] = [
    ['', []],
    ['   ', []],
    ['apps:list', ['apps:list']],
    [' apps:list  --format\tjson\n', ['apps:list', '--format', 'json']],
    ["git-receive-pack 'blog'", ['git-receive-pack', 'blog']],
    ["git-receive-pack 'it'\\''s'", ['git-receive-pack', "it's"]],
    ['a "b c" d', ['a', 'b c', 'd']],
    [`"a\\"b" "c\\\\d" "e\\nf"`, ['a"b', 'c\\d', 'e\\nf']],
    ['"\\$HOME \\`id\\`"', ['$HOME `id`']],
    ['a\\ b c', ['a b', 'c']],
    ["a''b", ['ab']],
    ["'' x", ['', 'x']],
    ['KEY="a b"c\'d\'', ['KEY=a bcd']],
    ['a\\\nb', ['ab']],
    ['"a\\\nb"', ['ab']],
    // Blanks to Unicode, letters to a shell.
    ['a\u00a0b \u3000c\u2028d\ufeff e\r', ['a\u00a0b', '\u3000c\u2028d\ufeff', 'e\r']],
  ];
  it.each(cases)('reads %j by POSIX quoting', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });

  it('expands nothing and treats operators as text', () => {
    const line = '$HOME `id` $(id) ; rm -rf / && a | b > c * ~ {a,b} #x';
    expect(splitWords(line)).toEqual(line.split(' '));
  });

  it.each(["'open", '"open', 'a "b\\"', 'a\\'])('refuses %j, which is not finished', line => {
    expect(() => splitWords(line)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('refuses NUL, and what was no UTF-8', () => {
    expect(() => splitWords('a\0b')).toThrow(/NUL/);
    expect(() => splitWords(Buffer.from([0x61, 0xff]).toString())).toThrow(/not UTF-8/);
  });

  it('takes a config value of a megabyte and refuses a line past the limit', () => {
    const value = 'x y'.repeat(350_000);
    expect(splitWords(`config:set app "KEY=${value}"`)).toEqual(['config:set', 'app', `KEY=${value}`]);
    expect(() => splitWords('x'.repeat(longestCommand + 1))).toThrow(/longer than/);
  });

  it('splits many words in time proportional to their number', () => {
    const started = performance.now();
    expect(splitWords('"a" \'b\' c\\ d '.repeat(50_000))).toHaveLength(150_000);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
