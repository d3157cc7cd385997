import { describe, expect, it } from 'vitest';
import { checkLinks } from '../../src/receive/links.ts';
import { joinPath, longestPath, parseTree } from '../../src/receive/tree.ts';

function entry(mode: string, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.alloc(1), Buffer.alloc(20, 0xab)]);
}

describe('a tree object', () => {
  it('gives names, kinds and hashes', () => {
    const tree = Buffer.concat([
      entry('100644', 'a'),
      entry('100755', 'b'),
      entry('120000', 'c'),
      entry('40000', 'd'),
      entry('160000', 'e'),
      entry('100644', 'zoë.txt'),
    ]);
    const oid = 'ab'.repeat(20);
    expect(parseTree(tree).map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'a file',
      'b program',
      'c link',
      'd folder',
      'e submodule',
      'zoë.txt file',
    ]);
    expect(parseTree(tree).every(item => item.oid === oid)).toBe(true);
  });

  it.each([
    '',
    '.',
    '..',
    'a/b',
    '/etc/passwd',
    '../x',
    '.git',
    '.GIT',
    '.Git',
    '.git ',
    '.git.',
    '.git . .',
    'git~1',
    'GIT~1',
    '.g\u200cit',
    '.git::$INDEX_ALLOCATION',
    'x'.repeat(256),
  ])('with the name %j is refused', name => {
    expect(() => parseTree(entry('100644', name))).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => parseTree(entry('40000', name))).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it.each([
    '.gitignore',
    '.gitmodules',
    '.github',
    '..x',
    'git',
    '.gitx',
    'a\\b',
    '-rf',
    '$(id)',
    'x'.repeat(255),
  ])('with the harmless name %j is taken', name => {
    expect(parseTree(entry('100644', name))).toHaveLength(1);
  });

  it('with a name that is not UTF-8 is refused, for no other program could name it', () => {
    expect(() => parseTree(entry('100644', Buffer.from([0x61, 0xff])))).toThrow(/UTF-8/);
  });

  it('with an unknown mode, or cut off, is refused', () => {
    expect(() => parseTree(entry('constructor', 'a'))).toThrow(/mode/);
    expect(() => parseTree(entry('010644', 'fifo'))).toThrow(/mode/);
    expect(() => parseTree(entry('100644', 'a').subarray(0, -1))).toThrow(/malformed/);
    expect(() => parseTree(Buffer.from('rubbish'))).toThrow(/malformed/);
  });

  it('whose paths grow past the limit is refused', () => {
    const folder = Array(14).fill('x'.repeat(255)).join('/');
    expect(() => joinPath(folder, 'x'.repeat(longestPath - folder.length))).toThrow(/longer than/);
    expect(joinPath(folder, 'x')).toBe(`${folder}/x`);
  });
});

describe('symbolic links', () => {
  const check = (links: Record<string, string>) => () => checkLinks(new Map(Object.entries(links)));

  it.each([
    { a: 'b' },
    { 'd/a': '../b' },
    { 'd/e/a': '../../b' },
    { a: '.' },
    { a: 'missing/./b' },
    { a: 'a' },
    { a: 'b', b: 'a' },
    { 'd/up': '..', x: 'd/up/y' },
    { a: 'x..y/...' },
  ])('inside the repository are kept: %j', links => {
    expect(check(links)).not.toThrow();
  });

  it.each([
    { a: '/etc/passwd' },
    { a: '..' },
    { a: '../x' },
    { 'd/a': '../../x' },
    { a: 'b/../../x' },
    { a: './/..' },
    { 'd/here': '.', x: 'd/here/../../y' },
    { up: 'd/..', d: 'e', 'e/x': '../up/..' },
    { 'd/up': '..', x: 'd/up/../y' },
    { abs: 'd/e', 'd/e': '/' },
    { d: 'e/f', x: 'd/../../..' },
  ])('leading out of it are refused: %j', links => {
    expect(check(links)).toThrow(/points out of the repository/);
  });

  it('are named in the refusal, with the remedy', () => {
    expect(check({ 'conf/secret': '/etc/shadow' })).toThrow(/"conf\/secret".*"\/etc\/shadow".*Remove it/);
  });

  it('in a long chain, or with endless targets, do not hold up the daemon', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 5000 }, (_, index) => [`l${index}`, `l${index + 1}/l${index + 1}`]),
    );
    expect(check(chain)).not.toThrow();
    const wide = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`l${index}`, 'a/'.repeat(2000)]),
    );
    const started = performance.now();
    expect(check(wide)).toThrow(/too many to check/);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
