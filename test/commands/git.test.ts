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

describe('git:set', () => {
  const report = async (key: string) => (await bench.run('git:report', 'blog', `--git-${key}`)).stdout.trim();

  it('holds what an archive may be, for an app or for all', async () => {
    await bench.run('apps:create', 'blog');
    expect([await report('computed-archive-max-files'), await report('computed-archive-max-size')]).toEqual([
      '50000',
      '1g',
    ]);
    await bench.run('git:set', '--global', 'archive-max-size', '2147483648');
    expect((await bench.run('git:set', 'blog', 'archive-max-files', '100')).stdout).toContain(
      'Setting archive-max-files to 100',
    );
    expect([await report('global-archive-max-size'), await report('computed-archive-max-files')]).toEqual([
      '2g',
      '100',
    ]);
    await bench.run('git:set', 'blog', 'archive-max-files');
    expect([await report('archive-max-files'), await report('computed-archive-max-files')]).toEqual([
      '',
      '50000',
    ]);
  });

  it.each([
    [['blog', 'archive-max-files', '0'], 'is no archive-max-files. Give one up to 200000'],
    [['blog', 'archive-max-files', 'many'], 'is no archive-max-files'],
    [['blog', 'archive-max-size', '3g'], 'is no archive-max-size. Give one up to 2g'],
    [['--global', 'deploy-branch', 'main'], 'one app at a time'],
  ])('refuses %j', async (words, why) => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('git:set', ...words);
    expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
  });
});

describe('git:allow-host', () => {
  it('lets public hosts pass and names the setting for others', async () => {
    expect((await bench.run('git:allow-host', '8.8.8.8')).stdout).toContain('8.8.8.8 may be fetched');
    const inside = await bench.run('git:allow-host', '10.1.2.3');
    expect([inside.code, inside.stderr]).toEqual([
      21,
      expect.stringContaining('WHERRY_ALLOW_HOSTS=10.1.2.3'),
    ]);
    expect((await bench.run('git:allow-host', 'a/b')).stderr).toContain('is no host');
  });
});
