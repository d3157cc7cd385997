import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(() => {
  bench = createBench();
});

describe('apps:create', () => {
  it('tells the edge, so that visitors learn that nothing is deployed yet', async () => {
    const before = bench.published();
    await bench.run('apps:create', 'blog');
    expect(bench.published()).toBe(before + 1);
  });

  it('makes an app with its default domain, and says so', async () => {
    expect(await bench.run('apps:create', 'blog')).toEqual({
      code: 0,
      stdout: '-----> Creating blog...\n',
      stderr: '',
    });
    expect((await bench.run('urls', 'blog')).stdout).toBe('http://blog.example.org:8080\n');
  });

  it('refuses a name that is taken with dokku’s text and status', async () => {
    await bench.run('apps:create', 'blog');
    const { code, stderr } = await bench.run('apps:create', 'blog');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ ! {5}Name is already taken\n/);
  });

  it.each([
    [''],
    ['..'],
    ['.'],
    ['x'.repeat(10_000)],
    ['x'.repeat(64)],
    [';id'],
    ['$(id)'],
    ['`id`'],
    ['Upper'],
    ['bl\u043eg'],
    ['a/b'],
    ['../x'],
    ['a..b'],
    ['a\nb'],
    ['a\0b'],
    ['all'],
    ['blog.'],
  ])('refuses the name %j in one sentence, and makes nothing', async name => {
    const { code, stdout, stderr } = await bench.run('apps:create', name);
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^ ! {5}(App name ".*" is not valid|An app name is missing)[^\n]*\n$/s);
    expect(stderr.length).toBeLessThan(400);
    expect(bench.store.apps.list()).toEqual([]);
  });
});

describe('apps:destroy', () => {
  beforeEach(() => bench.run('apps:create', 'blog'));

  it('asks for the name, dokku’s way, and does nothing without it', async () => {
    for (const stdin of [undefined, '', 'no\n', 'blogg\n']) {
      const { code, stderr } = await bench.runWith({
        words: ['apps:destroy', 'blog'],
        ...(stdin === undefined ? {} : { stdin }),
      });
      expect(code).toBe(2);
      expect(stderr).toContain(
        ' !     WARNING: Potentially Destructive Action\n !     This command will destroy app blog.\n !     To proceed, type "blog"\n> ',
      );
    }
    expect((await bench.run('apps:exists', 'blog')).code).toBe(0);
  });

  it.each([['blog\n'], ['blog'], ['blog\r\n']])('takes the name %j typed', async stdin => {
    expect((await bench.runWith({ words: ['apps:destroy', 'blog'], stdin })).code).toBe(0);
    expect((await bench.run('apps:exists', 'blog')).code).toBe(20);
  });

  it('takes --force before and after the command', async () => {
    expect((await bench.run('--force', 'apps:destroy', 'blog')).code).toBe(0);
    await bench.run('apps:create', 'blog');
    expect((await bench.run('apps:destroy', 'blog', '--force')).code).toBe(0);
    expect(bench.store.apps.list()).toEqual([]);
  });

  it('of an app that does not exist fails with 20 and asks nothing', async () => {
    const { code, stderr } = await bench.run('apps:destroy', 'nobody');
    expect({ code, stderr }).toEqual({ code: 20, stderr: ' !     App nobody does not exist\n' });
  });
});

describe('apps:list', () => {
  it('warns when there is none, and is an empty list as JSON', async () => {
    expect(await bench.run('apps:list')).toEqual({
      code: 0,
      stdout: '',
      stderr: " !     You haven't deployed any applications yet\n",
    });
    expect((await bench.run('apps:list', '--format', 'json')).stdout).toBe('[]\n');
  });

  it('lists names in order under a header', async () => {
    for (const name of ['zoo', 'blog']) await bench.run('apps:create', name);
    expect((await bench.run('apps:list')).stdout).toBe('=====> My Apps\nblog\nzoo\n');
    expect((await bench.run('apps:list', '--format', 'json')).stdout).toBe('["blog","zoo"]\n');
  });
});

describe('apps:exists', () => {
  it('says it by the status: 0 or 20', async () => {
    await bench.run('apps:create', 'blog');
    expect(await bench.run('apps:exists', 'blog')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await bench.run('apps:exists', 'nobody')).code).toBe(20);
  });
});

describe('a report', () => {
  beforeEach(async () => {
    await bench.deployed('blog');
    await bench.run('apps:create', 'zoo');
  });

  it('pads its keys to 31 characters, sorted, under a header', async () => {
    expect((await bench.run('domains:report', 'blog')).stdout).toBe(
      [
        '=====> blog domains information',
        '       Domains app enabled:           true',
        '       Domains app vhosts:            blog.example.org',
        '       Domains global enabled:        true',
        '       Domains global vhosts:         example.org',
        '',
      ].join('\n'),
    );
  });

  it('gives the bare value of one flag, with and without its prefix', async () => {
    for (const flag of ['--domains-app-vhosts', '--app-vhosts'])
      expect((await bench.run('domains:report', 'blog', flag)).stdout).toBe('blog.example.org\n');
    expect((await bench.run('apps:report', 'zoo', '--app-release')).stdout).toBe('\n');
  });

  it('names the valid flags, sorted, when one is not known', async () => {
    const { code, stderr } = await bench.run('domains:report', 'blog', '--nope');
    expect(code).toBe(1);
    expect(stderr).toBe(
      ' !     Invalid flag passed, valid flags: --domains-app-enabled, --domains-app-vhosts, --domains-global-enabled, --domains-global-vhosts\n',
    );
  });

  it('takes one flag at a time, and one only of a named app', async () => {
    expect((await bench.run('domains:report', 'blog', '--app-vhosts', '--app-enabled')).code).toBe(1);
    expect((await bench.run('domains:report', '--app-vhosts')).stderr).toMatch(/specify an app/);
  });

  it('is of all apps without a name', async () => {
    const { stdout } = await bench.run('apps:report');
    expect(stdout.match(/^=====> .* app information$/gm)).toEqual([
      '=====> blog app information',
      '=====> zoo app information',
    ]);
  });

  it('is a flat map of texts as JSON, by app without a name', async () => {
    const one = JSON.parse((await bench.run('apps:report', 'blog', '--format', 'json')).stdout);
    expect(one).toMatchObject({ 'deploy-source': 'git', release: 'v1', stopped: 'false' });
    expect(Object.values(one).every(value => typeof value === 'string')).toBe(true);
    const all = JSON.parse((await bench.run('apps:report', '--format', 'json')).stdout);
    expect(Object.keys(all)).toEqual(['blog', 'zoo']);
  });
});
