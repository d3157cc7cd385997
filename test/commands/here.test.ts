import { beforeEach, describe, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const there = (...words: string[]) => bench.run('--here', 'blog', ...words);
beforeEach(async () => {
  bench = createBench();
  for (const name of ['blog', 'shop']) await bench.run('apps:create', name);
});

describe('the app of the folder that a person is in', () => {
  it('is meant where none is named', async () => {
    await there('config:set', 'A=1', 'B=2', '--no-restart');
    expect((await bench.run('config:get', 'blog', 'A')).stdout).toBe('1\n');
    expect((await there('config:get', 'B')).stdout).toBe('2\n');
    expect((await there('config:keys')).stdout).toBe('A\nB\n');
  });

  it('gives way to the name of an app, its own included, and to --app', async () => {
    await there('config:set', 'shop', 'A=1');
    await there('config:set', 'blog', 'A=2');
    await there('--app', 'shop', 'config:set', 'B=3');
    expect((await bench.run('config:get', 'shop', 'A')).stdout).toBe('1\n');
    expect((await bench.run('config:get', 'shop', 'B')).stdout).toBe('3\n');
    expect((await bench.run('config:get', 'blog', 'A')).stdout).toBe('2\n');
  });

  it('gives way to --global and --all, and is no name for a new app', async () => {
    expect((await there('config:set', '--global', 'G=1')).code).toBe(0);
    expect((await bench.run('config:get', '--global', 'G')).stdout).toBe('1\n');
    expect((await there('ps:restart', '--all')).code).toBe(0);
    expect((await there('apps:create', 'third')).code).toBe(0);
    expect((await there('apps:list')).stdout).toContain('third');
  });

  it('does not hide that another name was mistyped', async () => {
    const { code, stderr } = await there('apps:destroy', 'shpo', '--force');
    expect(code).toBe(20);
    expect(stderr).toContain('App shpo does not exist');
    expect((await bench.run('apps:list')).stdout).toContain('blog');
  });
});
