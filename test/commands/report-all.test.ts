import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.deployed('blog');
});

describe('report', () => {
  it('is every report of an app in one, as text and as JSON', async () => {
    const { code, stdout } = await bench.run('report', 'blog');
    expect(code).toBe(0);
    for (const title of ['app', 'ps', 'domains', 'git', 'logs'])
      expect(stdout).toContain(`=====> blog ${title} information\n`);
    const found = JSON.parse((await bench.run('report', 'blog', '--format', 'json')).stdout);
    expect(found.ps).toEqual(JSON.parse((await bench.run('ps:report', 'blog', '--format', 'json')).stdout));
  });

  it('is of all apps when none is named, and 20 for one that is not there', async () => {
    await bench.run('apps:create', 'shop');
    const { stdout } = await bench.run('report');
    expect(stdout).toContain('=====> blog ps information\n');
    expect(stdout).toContain('=====> shop ps information\n');
    expect(await bench.run('report', 'nobody')).toMatchObject({ code: 20, stdout: '' });
  });
});

describe('cleanup', () => {
  it('forgets releases beyond those that are kept, and never the live one', async () => {
    await bench.run('builds:set', 'blog', 'keep-releases', '2');
    for (let at = 0; at < 3; at++) await bench.deployed('blog');
    expect(bench.store.releases.list(bench.store.apps.list()[0] ?? never())).toHaveLength(4);
    const { code, stdout } = await bench.run('cleanup');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^-----> Cleaning up\.\.\.\n {7}Freed /),
    });
    const left = JSON.parse((await bench.run('releases', 'blog', '--format', 'json')).stdout);
    expect(left.map((each: { version: number }) => each.version)).toEqual([4, 3]);
    expect((await bench.run('cleanup', 'nobody')).code).toBe(20);
  });
});

describe('url', () => {
  it('is the first address alone, and status 1 without one', async () => {
    await bench.run('domains:add', 'blog', 'www.example.net');
    expect(await bench.run('url', 'blog')).toEqual({
      code: 0,
      stdout: 'http://blog.example.org:8080\n',
      stderr: '',
    });
    await bench.run('domains:clear', 'blog');
    expect((await bench.run('url', 'nobody')).code).toBe(20);
  });
});

function never(): never {
  throw new Error('there is no app');
}
