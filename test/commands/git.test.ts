import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

describe('git:auth', () => {
  const login = () => bench.store.credentials.find('git', undefined, 'git.example.org');

  it('keeps a password from standard input, shows it to nobody, and forgets it', async () => {
    const kept = await bench.runWith({ words: ['git:auth', 'GIT.example.org', 'ann'], stdin: 's3cret\n' });
    expect([kept.code, login()]).toEqual([0, { user: 'ann', password: 's3cret' }]);
    const listed = await bench.run('git:auth-status', '--format', 'json');
    expect(JSON.parse(listed.stdout)).toEqual([{ host: 'git.example.org', user: 'ann' }]);
    expect((await bench.run('git:auth-status')).stdout).toBe('ann@git.example.org\n');
    expect(kept.stdout + kept.stderr + JSON.stringify(bench.logged)).not.toContain('s3cret');
    expect((await bench.run('git:auth', 'git.example.org')).code).toBe(0);
    expect(login()).toBeUndefined();
    expect((await bench.run('git:auth', 'git.example.org')).stderr).toContain('no login for git.example.org');
  });

  it('takes the password as a word too, as dokku does', async () => {
    const kept = await bench.run('git:auth', 'git.example.org:8443', 'ann', 's3cret');
    expect(kept.code).toBe(0);
    expect(bench.store.credentials.find('git', undefined, 'git.example.org:8443')?.password).toBe('s3cret');
    expect(kept.stdout + JSON.stringify(bench.logged)).not.toContain('s3cret');
  });

  it.each([
    [['git:auth', 'https://git.example.org', 'ann'], 'x', 'is no host'],
    [['git:auth', 'a/b', 'ann'], 'x', 'is no host'],
    [['git:auth', 'git.example.org', 'an:n'], 'x', 'The user is not valid'],
    [['git:auth', 'git.example.org', 'ann'], '', 'No password came'],
    [['git:auth', 'git.example.org', 'ann'], 'a\0b\n', 'control character'],
  ])('refuses %j with %j', async (words, stdin, why) => {
    const { code, stderr } = await bench.runWith({ words, stdin });
    expect(code).not.toBe(0);
    expect(stderr).toContain(why);
    expect(login()).toBeUndefined();
  });
});

describe('git:sync', () => {
  it.each([
    ['file:///srv/blog.git', 'is fetched by file, which is not supported'],
    ['ext::sh', 'is fetched by ext, which is not supported'],
    ['ssh://git@example.org/blog.git', 'is not reached by https'],
    ['git@example.org:ann/blog.git', 'is not reached by https'],
    ['/srv/blog.git', 'is no URL'],
    ['https://ann:s3cret@example.org/blog.git', 'has a name or password in it'],
    ['https://example.org/', 'is no URL of a repository'],
    ['https://example.org/blog.git#main', 'is no URL of a repository'],
  ])('refuses %s', async (url, why) => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('git:sync', 'blog', url);
    expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(stderr).not.toContain('s3cret');
  });

  it.each(['--upload-pack=x', 'a..b', 'a b', ''])('refuses %j as a ref', async ref => {
    await bench.run('apps:create', 'blog');
    const { code } = await bench.run('git:sync', 'blog', 'https://example.org/blog.git', '--', ref);
    expect(code).not.toBe(0);
  });
});

describe('git:report', () => {
  it('tells where the code came from, until something is pushed', async () => {
    const app = await bench.deployed('blog');
    bench.store.apps.setDeployBranch(app, 'main');
    bench.store.properties.set(
      `app:${app.id}`,
      'git-source',
      `${'1'.repeat(40)} https://example.org/blog.git#v1`,
    );
    bench.heads.set(parseAppName('blog'), '1'.repeat(40));
    expect((await bench.run('git:report', 'blog', '--git-source')).stdout).toBe(
      'https://example.org/blog.git#v1\n',
    );
    bench.heads.set(parseAppName('blog'), '2'.repeat(40));
    expect((await bench.run('git:report', 'blog', '--git-source')).stdout.trim()).toBe('');
  });
});
