import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAllRefs, readRefs, writeRefs } from '../../src/backup/refs.ts';

const dir = mkdtempSync(join(tmpdir(), 'wherry-refs-'));
const repo = join(dir, 'blog.git');
const work = join(dir, 'work');
const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

const commit = (text: string) => {
  writeFileSync(join(work, 'file'), text);
  git('-C', work, 'add', 'file');
  git('-C', work, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', text);
  git('-C', work, 'push', '-q', repo, 'HEAD:main');
  return git('-C', work, 'rev-parse', 'HEAD');
};

beforeAll(() => {
  git('init', '-q', '--bare', '-b', 'main', repo);
  git('init', '-q', '-b', 'main', work);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the branches of a repository at one moment', () => {
  it('are those that lie by themselves before packed ones', () => {
    const first = commit('one');
    git('-C', repo, 'pack-refs', '--all');
    git('-C', repo, 'tag', 'v1', first);
    expect(readRefs(repo)).toEqual({
      head: 'ref: refs/heads/main\n',
      refs: { 'refs/heads/main': first, 'refs/tags/v1': first },
    });
    const second = commit('two');
    expect(readAllRefs(dir)['blog.git']?.refs['refs/heads/main']).toBe(second);
  });

  it('are put back over what came later, and the repository is whole', async () => {
    const before = readRefs(repo);
    const later = commit('three');
    expect(git('-C', repo, 'rev-parse', 'main')).toBe(later);
    await writeRefs(repo, before, user);
    expect(git('-C', repo, 'rev-parse', 'main')).toBe(before.refs['refs/heads/main']);
    expect(git('-C', repo, 'rev-parse', 'v1')).toBe(before.refs['refs/tags/v1']);
    git('-C', repo, 'fsck', '--connectivity-only');
  });

  it('are none where there is no repository', () => {
    expect(readAllRefs(join(dir, 'nothing'))).toEqual({});
  });
});
