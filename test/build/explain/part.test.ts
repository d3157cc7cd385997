import { describe, expect, it } from 'vitest';
import { compareParts, type Part } from '../../../src/build/explain/part.ts';
import { becauseOf, wordsOf } from '../../../src/build/explain/words.ts';

const part = (kind: Part['kind'], name: string, print: string, more: Partial<Part> = {}): Part => ({
  ...{ kind, name, print, counts: true },
  ...more,
});

describe('parts of a build', () => {
  it('that are as they were are no change, in any order', () => {
    const parts = [part('file', 'a', '1'), part('config', 'FOO', '2')];
    expect(compareParts(parts, parts.toReversed())).toEqual([]);
  });

  it('differ by what is changed, new and gone, with what people may see of both', () => {
    const changes = compareParts(
      [part('stack', '', '1', { shown: 'w@1' }), part('config', 'OLD', 'x'), part('file', 'lock', 'a')],
      [part('stack', '', '2', { shown: 'w@2' }), part('config', 'FOO', 'x'), part('file', 'lock', 'b')],
    );
    expect(changes.map(wordsOf)).toEqual([
      'the stack changed (w@1 to w@2)',
      'FOO is new',
      'lock changed',
      'OLD is gone',
    ]);
  });

  it('name an image that a Dockerfile starts from, with its digests', () => {
    const at = (digest: string) => part('base', 'docker.io/library/alpine:3', digest, { shown: digest });
    expect(compareParts([at('sha256:aa')], [at('sha256:bb')]).map(wordsOf)).toEqual([
      'base image docker.io/library/alpine:3 changed (sha256:aa to sha256:bb)',
    ]);
  });

  it('are new and gone also where an input was looked for and was not there', () => {
    const [none, some] = [part('file', 'Procfile', 'absent'), part('file', 'Procfile', '1')];
    expect(compareParts([none], [some]).map(wordsOf)).toEqual(['Procfile is new']);
    expect(compareParts([some], [none]).map(wordsOf)).toEqual(['Procfile is gone']);
    expect(compareParts([none], [])).toEqual([]);
  });

  it('tell of another order of buildpacks only where that is all', () => {
    const [one, two] = [part('order', '', '1'), part('order', '', '2')];
    expect(compareParts([one], [two]).map(wordsOf)).toEqual(['the order of the buildpacks changed']);
    expect(compareParts([one], [two, part('buildpack', 'a/b', 'x')]).map(wordsOf)).toEqual([
      'buildpack a/b is new',
    ]);
  });

  it('keep files and config of the same name apart', () => {
    expect(compareParts([part('file', 'FOO', '1')], [part('config', 'FOO', '1')])).toHaveLength(2);
  });
});

describe('the reason of a build', () => {
  const changes = compareParts(
    [
      part('file', 'package-lock.json', '1'),
      part('config', 'FOO', '1'),
      part('config', 'BAR', '1', { counts: false }),
    ],
    [
      part('file', 'package-lock.json', '2'),
      part('config', 'FOO', '2'),
      part('config', 'BAR', '2', { counts: false }),
    ],
  );

  it.each([
    ['changed', 'This build runs because: package-lock.json changed, FOO changed'],
    ['asked', 'This build runs because: it was asked for, package-lock.json changed, FOO changed'],
    ['first', 'This build runs because: nothing is kept of a build before it'],
    ['lost', 'This build runs because: layers of the last build are gone'],
    ['unknown', 'This build runs because: the last one left nothing to compare with'],
  ] as const)('names what counts of a build that is %s', (cause, words) => {
    expect(becauseOf({ cause, changes })).toBe(words);
  });

  it('says that nothing changed, or what did without any effect', () => {
    expect(becauseOf({ cause: 'unchanged', changes: [] })).toBe('No build runs: nothing changed');
    const idle = changes.filter(({ counts }) => !counts);
    expect(becauseOf({ cause: 'unchanged', changes: idle })).toBe(
      'No buildpack runs: none depends on what changed (BAR changed)',
    );
  });

  it('names ten and counts the others', () => {
    const many = Array.from({ length: 14 }, (_, at) => part('file', `f${at}`, '1'));
    const said = becauseOf({ cause: 'changed', changes: compareParts([], many) });
    expect(said).toMatch(/f9 is new, 4 more$/);
  });

  it('shows a file name that would move the cursor as escapes', () => {
    const [change] = compareParts([], [part('file', 'a\u001b[2J\nremote: done', '1')]);
    expect(change && wordsOf(change)).toBe('"a\\u{1b}[2J\\u{a}remote: done" is new');
  });
});
