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
