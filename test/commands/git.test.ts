import { beforeEach, describe, expect, it } from 'vitest';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
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
    const apps = 'apps that admins of all apps alone deploy';
    expect(JSON.parse(listed.stdout)).toEqual([{ host: 'git.example.org', user: 'ann', apps }]);
    expect((await bench.run('git:auth-status')).stdout).toBe(`ann@git.example.org (${apps})\n`);
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
    ['the host of a repository', ['git.example.org', 'ann', 's3cret'], undefined],
    ['--global', ['--global', 'gitea', 'ann', 's3cret'], undefined],
    ['an app', ['blog', 'git.example.org', 'ann', 's3cret'], 'blog'],
    ['an app whose name looks like a host', ['blog.io', 'git.example.org', 'ann', 's3cret'], 'blog.io'],
    ['--app', ['--app', 'blog.io', 'gitea', 'ann'], 'blog.io'],
    ['the app of the folder', ['--here', 'blog', 'gitea', 'ann'], 'blog'],
    ['a host in the folder of an app', ['--here', 'blog', 'git.example.org', 'ann'], undefined],
  ])('is for whom %s in the first place says', async (_what, words, name) => {
    for (const app of ['blog', 'blog.io']) await bench.deployed(app);
    const kept = await bench.runWith({ words: ['git:auth', ...words], stdin: 's3cret\n' });
    expect(kept.code).toBe(0);
    const owner = name === undefined ? 'global' : bench.store.apps.get(parseAppName(name));
    expect(bench.store.credentials.list('git', owner)).toMatchObject([{ user: 'ann' }]);
    const others = ['global', ...bench.store.apps.list()] as const;
    expect(others.flatMap(each => bench.store.credentials.list('git', each))).toHaveLength(1);
  });

  it('says whose login is used for what, and asks for an app where only one can be meant', async () => {
    await bench.deployed('blog');
    await bench.run('git:auth', 'git.example.org', 'ann', 's3cret');
    expect((await bench.run('git:auth', 'git.example.org', '--apps', 'blog,nope')).code).toBe(20);
    const named = await bench.run('git:auth', 'git.example.org', '--apps', 'blog');
    expect(named.stdout + named.stderr).toContain('It is used for blog, apps that admins');
    await bench.run('git:auth', 'git.example.org', '--all-apps');
    expect((await bench.run('git:auth-status')).stdout).toBe('ann@git.example.org (all apps)\n');
    const wrong = await bench.run('git:auth', 'blog', 'git.example.org', 'ann', 'x', '--all-apps');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('of the login of all alone')]);
    expect((await bench.run('git:auth', 'other.example.org', '--all-apps')).code).not.toBe(0);
  });

  it('of all is for admins of all apps, of an app for its admins', async () => {
    const app = await bench.deployed('blog');
    bench.store.people.ensure('bob', new Date(0));
    bench.store.people.grant('bob', 'admin', app);
    const bob = { name: 'bob', via: 'ssh' } as const;
    const tried = async (...words: string[]) => (await bench.runWith({ words, actor: bob })).code;
    expect(await tried('git:auth', 'git.example.org', 'bob', 'x')).toBe(21);
    expect(await tried('git:auth-status')).toBe(21);
    expect(await tried('git:auth', 'blog', 'git.example.org', 'bob', 'x')).toBe(0);
    expect(await tried('git:auth', 'shop', 'git.example.org', 'bob', 'x')).toBe(20);
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
    ['ssh://example.org/blog.git', 'is no repository by ssh'],
    ['ssh://git@-oProxyCommand=id/blog.git', 'is no repository by ssh'],
    ['ssh://git@example.org/-x', 'is no repository by ssh'],
    ['ssh://git:s3cret@example.org/blog.git', 'is no repository by ssh'],
    ['git@example.org:$(id)', 'is no repository by ssh'],
    ["ssh://git@example.org/a';id", 'is no repository by ssh'],
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

  it('uses the deploy key, which opens more than one app, for admins of all apps alone', async () => {
    const app = await bench.deployed('blog');
    bench.store.people.ensure('bob', new Date());
    bench.store.people.grant('bob', 'admin', app);
    const ask = (actor: Actor) =>
      bench.runWith({ words: ['git:sync', 'blog', 'git@example.org:ann/blog.git'], actor });
    expect(await ask({ name: 'bob', via: 'ssh' })).toMatchObject({
      code: 21,
      stderr: expect.stringContaining('no admin of all apps. Give the repository'),
    });
    bench.store.people.grant('bob', 'admin');
    expect((await ask({ name: 'bob', via: 'ssh' })).stderr).not.toContain('no admin');
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
  it('says for one app or all whether builds have the folder of git', async () => {
    await bench.run('apps:create', 'blog');
    const computed = async () =>
      (await bench.run('git:report', 'blog', '--git-computed-keep-git-dir')).stdout.trim();
    expect(await computed()).toBe('false');
    await bench.run('git:set', '--global', 'keep-git-dir', 'true');
    expect(await computed()).toBe('true');
    await bench.run('git:set', 'blog', 'keep-git-dir', 'false');
    expect(await computed()).toBe('false');
    expect((await bench.run('git:set', 'blog', 'keep-git-dir', 'maybe')).stderr).toContain(
      'Give true or false',
    );
  });

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
    [['blog', 'deploy-branch', '--upload-pack'], 'is not'],
    [['blog', 'deploy-branch', 'a..b'], 'is not a branch name'],
    [['blog', 'rev-env-var', 'A-B'], 'Config key "A-B" is not valid'],
    [['blog', 'nothing', 'x'], 'Invalid property specified'],
  ])('refuses %j', async (words, why) => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('git:set', ...words);
    expect(code).not.toBe(0);
    expect(stderr).toContain(why);
  });

  it('gives a branch of all to apps that are made later, which may have their own', async () => {
    await bench.run('apps:create', 'blog');
    await bench.run('git:set', '--global', 'deploy-branch', 'trunk');
    await bench.run('apps:create', 'shop');
    expect(await report('computed-deploy-branch')).toBe('');
    const shop = async () => (await bench.run('git:report', 'shop', '--git-deploy-branch')).stdout.trim();
    expect(await shop()).toBe('trunk');
    await bench.run('git:set', 'shop', 'deploy-branch', 'main');
    expect(await shop()).toBe('main');
  });

  it('names the variable that tells processes their commit', async () => {
    const app = await bench.deployed('blog');
    const told = () => bench.deployer.desired(app)?.revision;
    expect([await report('computed-rev-env-var'), told()?.['GIT_REV']]).toEqual(['GIT_REV', '1'.repeat(40)]);
    await bench.run('git:set', 'blog', 'rev-env-var', 'COMMIT');
    expect([await report('computed-rev-env-var'), told()?.['COMMIT']]).toEqual(['COMMIT', '1'.repeat(40)]);
    expect(told()?.['GIT_REV']).toBeUndefined();
  });
});

describe('the repository of an app', () => {
  it('is made and packed on demand', async () => {
    await bench.run('apps:create', 'blog');
    expect((await bench.run('git:initialize', 'blog')).code).toBe(0);
    expect((await bench.run('repo:gc', 'blog')).stdout).toContain('Packed the repository of blog');
    expect(bench.repositories).toEqual(['made blog', 'packed blog']);
    expect((await bench.run('git:unlock', 'blog')).stdout).toContain('builds:cancel blog');
    for (const command of ['git:initialize', 'repo:gc', 'git:status', 'git:unlock'])
      expect((await bench.run(command, 'nobody')).code).toBe(20);
  });

  it('says whether its commit is what runs', async () => {
    const app = await bench.deployed('blog');
    const status = async () => (await bench.run('git:status', 'blog')).stdout;
    expect(await status()).toBe('No branch yet: the first that is pushed is deployed\n');
    bench.store.apps.setDeployBranch(app, 'main');
    expect(await status()).toBe('On branch main\nNo commits yet\n');
    bench.heads.set(parseAppName('blog'), '1'.repeat(40));
    expect(await status()).toBe(`On branch main\nCommit ${'1'.repeat(40)}\nIt is what is deployed\n`);
    bench.heads.set(parseAppName('blog'), '2'.repeat(40));
    expect(await status()).toContain(`Commit ${'1'.repeat(40)} is deployed`);
    expect(JSON.parse((await bench.run('git:status', 'blog', '--format', 'json')).stdout)).toMatchObject({
      branch: 'main',
      deployed: false,
    });
  });
});

describe('git:allow-host', () => {
  const key = (mark: string) => ({
    type: 'ssh-ed25519',
    key: mark.repeat(60),
    fingerprint: `SHA256:${mark}`,
  });
  const known = () => bench.store.properties.list('global', 'git-known-hosts');

  it('keeps the keys that a host shows, and shows their fingerprints', async () => {
    bench.hostKeys.set('git.example.org', [key('A')]);
    const let_in = await bench.run('git:allow-host', 'git.example.org');
    expect([let_in.code, let_in.stdout]).toEqual([0, expect.stringContaining('ssh-ed25519 SHA256:A')]);
    expect((await bench.run('git:allow-host', 'git.example.org')).code).toBe(0);
    await bench.run('git:allow-host', 'git.example.org:2222');
    expect(known()).toEqual([
      `git.example.org ssh-ed25519 ${'A'.repeat(60)}`,
      `[git.example.org]:2222 ssh-ed25519 ${'A'.repeat(60)}`,
    ]);
  });

  it('takes another key of a known host only by force, and one fingerprint alone where it is given', async () => {
    bench.hostKeys.set('git.example.org', [key('A')]);
    await bench.run('git:allow-host', 'git.example.org');
    bench.hostKeys.set('git.example.org', [key('B')]);
    const refused = await bench.run('git:allow-host', 'git.example.org');
    expect([refused.code, refused.stderr]).toEqual([22, expect.stringContaining('another key than it had')]);
    const wrong = await bench.run(
      'git:allow-host',
      'git.example.org',
      '--fingerprint',
      'SHA256:A',
      '--force',
    );
    expect([wrong.code, wrong.stderr]).toEqual([21, expect.stringContaining('It has: SHA256:B')]);
    expect(known()).toEqual([`git.example.org ssh-ed25519 ${'A'.repeat(60)}`]);
    await bench.run('git:allow-host', 'git.example.org', '--force');
    expect(known()).toEqual([`git.example.org ssh-ed25519 ${'B'.repeat(60)}`]);
  });

  it('says that a host without ssh is fetched from by https, and refuses what is no host', async () => {
    expect((await bench.run('git:allow-host', 'git.example.org')).stderr).toContain('fetched by https');
    expect((await bench.run('git:allow-host', 'a/b')).stderr).toContain('is no host');
    expect(known()).toEqual([]);
  });
});

describe('the deploy key', () => {
  it('is made once, shown by its public half, and kept sealed', async () => {
    expect((await bench.run('git:public-key')).code).toBe(1);
    const made = await bench.run('git:generate-deploy-key', '--quiet');
    expect([made.code, made.stdout]).toEqual([
      0,
      expect.stringMatching(/^ssh-ed25519 AAAA\S+ wherry-deploy-key\n$/),
    ]);
    expect((await bench.run('git:public-key')).stdout).toBe(made.stdout);
    expect((await bench.run('git:generate-deploy-key')).code).toBe(22);
    expect((await bench.run('git:generate-deploy-key', '--force', '--quiet')).stdout).not.toBe(made.stdout);
    expect(bench.store.credentials.deployKey()?.privateKey).toContain('PRIVATE KEY');
    expect((await bench.run('git:auth-status')).stdout).toBe('');
  });
});
