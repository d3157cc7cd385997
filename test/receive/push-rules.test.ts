import { describe, expect, it } from 'vitest';
import { judgePush } from '../../src/receive/push-rules.ts';
import { parseRefUpdates } from '../../src/receive/ref-updates.ts';

const none = '0'.repeat(40);
const a = 'a'.repeat(40);
const b = 'b'.repeat(40);

describe("the hook's lines", () => {
  it('become updates of branches and tags', () => {
    expect(parseRefUpdates([`${none} ${a} refs/heads/feature/x`, `${a} ${none} refs/tags/v1`])).toEqual([
      { ref: 'refs/heads/feature/x', kind: 'branch', name: 'feature/x', from: null, to: a },
      { ref: 'refs/tags/v1', kind: 'tag', name: 'v1', from: a, to: null },
    ]);
  });

  it.each([
    'refs/notes/x',
    'refs/heads/',
    'refs/heads/../../x',
    'refs/heads/a..b',
    'refs/heads/.hidden',
    'refs/heads/a/.b',
    'refs/heads/a.lock',
    'refs/heads/a.lock/b',
    'refs/heads/a b',
    'refs/heads/a\tb',
    'refs/heads/-x',
    'refs/heads/a//b',
    'refs/heads/a/',
    'refs/heads/a@{1}',
    'refs/heads/a\\b',
    'refs/heads/a:b',
    `refs/heads/${'x'.repeat(201)}`,
    'HEAD',
  ])('with ref %j are refused by name', ref => {
    expect(() => parseRefUpdates([`${none} ${a} ${ref}`])).toThrow(/is not taken/);
  });

  it('that are no ref lines at all are refused', () => {
    expect(() => parseRefUpdates(['nonsense'])).toThrow(/is not taken/);
  });

  it('past a hundred are refused, counting also those that were dropped', () => {
    const line = `${none} ${a} refs/tags/t`;
    expect(parseRefUpdates(Array(100).fill(line))).toHaveLength(100);
    expect(() => parseRefUpdates(Array(101).fill(line))).toThrow(/101 refs/);
    expect(() => parseRefUpdates([line], 1_000_000)).toThrow(/1000000 refs/);
  });
});

describe('the judgement over a push', () => {
  const judge = (lines: string[], branch: string | null) => judgePush(parseRefUpdates(lines), branch);

  it('deploys the deploy branch', () => {
    const { deploy, notes } = judge([`${b} ${a} refs/heads/main`], 'main');
    expect(deploy).toEqual({ branch: 'main', commit: a, ref: 'refs/heads/main', from: b });
    expect(notes).toEqual([]);
  });

  it('lets the first pushed branch be the deploy branch, and prefers main among several', () => {
    expect(judge([`${none} ${a} refs/heads/trunk`], null).deploy?.branch).toBe('trunk');
    expect(judge([`${none} ${a} refs/heads/a`, `${none} ${b} refs/heads/main`], null).deploy?.branch).toBe(
      'main',
    );
  });

  it('stores another branch with the way to deploy it', () => {
    const { deploy, notes } = judge([`${none} ${a} refs/heads/other`], 'main');
    expect(deploy).toBeUndefined();
    expect(notes.join('\n')).toContain('you must push to main');
    expect(notes.join('\n')).toContain('git push <remote> other:main');
  });

  it('refuses tags alone, and stores one that comes with a branch', () => {
    for (const branch of ['main', null]) {
      expect(() => judge([`${none} ${a} refs/tags/main`], branch)).toThrow(/Tags alone deploy nothing/);
    }
    expect(judge([`${a} ${none} refs/tags/old`], 'main')).toEqual({ notes: [] });
    const { deploy, notes } = judge([`${none} ${a} refs/heads/main`, `${none} ${a} refs/tags/v1`], 'main');
    expect(deploy?.commit).toBe(a);
    expect(notes.join()).toContain('Tag v1 is stored but not deployed');
  });

  it('deploys one branch of several and notes the rest', () => {
    const { deploy, notes } = judge(
      [`${none} ${a} refs/heads/other`, `${none} ${b} refs/heads/main`],
      'main',
    );
    expect(deploy?.commit).toBe(b);
    expect(notes.join()).toContain('Branch other');
  });

  it('refuses to delete the deploy branch and lets others go', () => {
    expect(() => judge([`${a} ${none} refs/heads/main`], 'main')).toThrow(/cannot be deleted/);
    expect(judge([`${a} ${none} refs/heads/other`], 'main')).toEqual({ notes: [] });
  });
});
