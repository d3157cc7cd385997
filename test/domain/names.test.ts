import { describe, expect, it } from 'vitest';
import {
  parseAppName,
  parseConfigKey,
  parseDomain,
  parseProcessType,
  quoteForPeople,
} from '../../src/domain/names.ts';

describe('app names', () => {
  it.each(['a', 'blog', 'blog-2', 'www.example.org', '0x', 'a'.repeat(63)])('accepts %s', name => {
    expect(parseAppName(name)).toBe(name);
  });

  it.each([
    ['nothing', ''],
    ['a parent folder', '..'],
    ['a path', 'a/../b'],
    ['two dots inside', 'a..b'],
    ['64 characters', 'a'.repeat(64)],
    ['10,000 characters', 'a'.repeat(10_000)],
    ['a shell separator', ';id'],
    ['a substitution', '$(id)'],
    ['backticks', '`id`'],
    ['a pipe', 'a|b'],
    ['a flag', '-oProxyCommand=x'],
    ['upper case', 'Blog'],
    ['a Cyrillic look-alike', 'bl\u043eg'],
    ['a right-to-left override', 'a\u202eb'],
    ['a newline', 'a\nb'],
    ['a NUL', 'a\0b'],
    ['a final dot', 'a.'],
    ['a reserved word', 'global'],
    ['an encoded slash', 'a%2fb'],
  ])('refuses %s in one sentence', (_, name) => {
    expect(() => parseAppName(name)).toThrow(/^(App name ".*" is not valid|An app name is missing)/);
  });

  it('never prints what is refused raw', () => {
    expect(quoteForPeople('a\u001b[2Jb')).toBe('"a\\u{1b}[2Jb"');
    expect(quoteForPeople('x'.repeat(10_000)).length).toBeLessThan(80);
  });
});

describe('domains', () => {
  it('lower-cases and drops a trailing dot', () => {
    expect(parseDomain('WWW.Example.org.')).toBe('www.example.org');
  });

  it('accepts one leading wildcard label', () => {
    expect(parseDomain('*.example.org')).toBe('*.example.org');
  });

  it.each([
    '',
    'http://a.org',
    'a.org:80',
    'a.org/x',
    'a..org',
    '*.*.org',
    'a*.org',
    '-a.org',
    '10.0.0.1',
    'a b',
    'x'.repeat(254),
  ])('refuses %j', text => {
    expect(() => parseDomain(text)).toThrow(/is not valid/);
  });
});

describe('process types and config keys', () => {
  it('accepts what dokku accepts', () => {
    expect(parseProcessType('web')).toBe('web');
    expect(parseConfigKey('lower_case1')).toBe('lower_case1');
  });

  it.each(['', '-web', 'web-', 'a b', 'a/b', 'x'.repeat(64)])('refuses process type %j', text => {
    expect(() => parseProcessType(text)).toThrow(/Process type/);
  });

  it.each(['', '1A', 'A-B', 'A=B', 'A B', '\u0410'])('refuses config key %j', text => {
    expect(() => parseConfigKey(text)).toThrow(/Config key/);
  });
});
