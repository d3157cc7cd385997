import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  for (const name of ['blog', 'other']) await bench.run('apps:create', name);
});
const domains = async () => (await bench.run('domains:report', 'blog', '--app-vhosts')).stdout.trim();

describe('domains', () => {
  it('are added and told to the edge at once', async () => {
    const before = bench.published();
    const { stdout } = await bench.run('domains:add', 'blog', 'WWW.example.com', '*.example.net');
    expect(stdout).toBe('-----> Added www.example.com to blog\n-----> Added *.example.net to blog\n');
    expect(await domains()).toBe('blog.example.org www.example.com *.example.net');
    expect(bench.published()).toBe(before + 1);
  });

  it('that the app has already are skipped', async () => {
    const { code, stderr } = await bench.run('domains:add', 'blog', 'blog.example.org');
    expect(code).toBe(0);
    expect(stderr).toBe(' !     Skipping: blog.example.org already added to blog\n');
  });

  it('of another app are refused, naming it and the remedy, and nothing of the line is kept', async () => {
    const { code, stderr } = await bench.run('domains:add', 'blog', 'www.example.com', 'other.example.org');
    expect(code).toBe(22);
    expect(stderr).toBe(
      ' !     Domain other.example.org is already used by app other. Remove it there first.\n !     domains:remove other other.example.org\n',
    );
    expect(await domains()).toBe('blog.example.org');
    expect((await bench.run('domains:set', 'blog', 'a.example.com', 'other.example.org')).code).toBe(22);
    expect(await domains()).toBe('blog.example.org');
  });

  it.each([
    ['http://example.com'],
    ['example.com/path'],
    ['example.com:80'],
    ['-x.com'],
    ['a..b'],
    ['127.0.0.1'],
    ['b\u043e.com'],
    [''],
  ])('such as %j are refused', async domain => {
    expect((await bench.run('domains:add', 'blog', '--', domain)).stderr).toMatch(/Domain ".*" is not valid/);
    expect(await domains()).toBe('blog.example.org');
  });

  it('are removed, set and cleared', async () => {
    await bench.run('domains:set', 'blog', 'a.example.com', 'b.example.com', 'a.example.com');
    expect(await domains()).toBe('a.example.com b.example.com');
    expect((await bench.run('domains:remove', 'blog', 'a.example.com', 'none.example.com')).stderr).toMatch(
      /Skipping/,
    );
    expect(await domains()).toBe('b.example.com');
    await bench.run('domains:clear', 'blog');
    expect(await domains()).toBe('');
    expect((await bench.run('urls', 'blog')).stdout).toBe('');
  });
});

describe('global domains', () => {
  const globals = async () =>
    (await bench.run('domains:report', 'blog', '--domains-global-vhosts')).stdout.trim();

  it('are what new apps get names under, and reset apps', async () => {
    await bench.run('domains:add-global', 'apps.example.com');
    expect(await globals()).toBe('example.org apps.example.com');
    await bench.run('apps:create', 'new');
    expect((await bench.run('urls', 'new')).stdout).toBe(
      'http://new.example.org:8080\nhttp://new.apps.example.com:8080\n',
    );
    expect(await domains()).toBe('blog.example.org');
    await bench.run('domains:set-global', 'b.example.com');
    const before = bench.published();
    await bench.run('domains:reset', 'blog');
    expect(await domains()).toBe('blog.b.example.com');
    expect(bench.published()).toBe(before + 1);
  });

  it('are reported without an app', async () => {
    expect((await bench.run('domains:report', '--global')).stdout).toBe(
      '=====> Global domains information\n       Domains global enabled:        true\n       Domains global vhosts:         example.org\n',
    );
  });

  it('may be none, which is not the same as those of the setting', async () => {
    await bench.run('domains:clear-global');
    expect(await globals()).toBe('');
    await bench.run('apps:create', 'new');
    await bench.run('apps:create', 'www.example.net');
    expect((await bench.run('urls', 'new')).stdout).toBe('');
    expect((await bench.run('urls', 'www.example.net')).stdout).toBe('http://www.example.net:8080\n');
  });

  it('are removed, and those that are none are skipped', async () => {
    await bench.run('domains:add-global', 'apps.example.com');
    const ran = await bench.run('domains:remove-global', 'example.org', 'none.example.com');
    expect(ran.stderr).toContain('Skipping: none.example.com is not a global domain');
    expect(await globals()).toBe('apps.example.com');
  });

  it.each([
    ['*.example.com', 'No app can have a name under *.example.com'],
    ['http://example.com', 'is not valid'],
  ])('are never %s', async (name, reason) => {
    const ran = await bench.run('domains:set-global', name);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain(reason);
    expect(await globals()).toBe('example.org');
  });
});

describe('an app whose domains are disabled', () => {
  it('keeps them, answers at none, and takes them back', async () => {
    const before = bench.published();
    await bench.run('domains:disable', 'blog');
    await bench.run('domains:disable', 'blog');
    expect(bench.published()).toBe(before + 1);
    expect(await domains()).toBe('blog.example.org');
    expect((await bench.run('domains:report', 'blog', '--domains-app-enabled')).stdout).toBe('false\n');
    expect((await bench.run('urls', 'blog')).stdout).toBe('');
    expect((await bench.run('domains:add', 'other', 'blog.example.org')).code).toBe(22);
    await bench.run('domains:enable', 'blog');
    expect((await bench.run('urls', 'blog')).stdout).toBe('http://blog.example.org:8080\n');
  });
});
