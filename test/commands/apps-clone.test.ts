import { beforeEach, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
const json = async (...words: string[]) => JSON.parse((await bench.run(...words, '--format', 'json')).stdout);

beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
  await bench.run('config:set', 'blog', 'SECRET=a b');
  await bench.run('ps:scale', 'blog', 'web=2', 'worker=1');
  await bench.run('resource:limit', '--memory', '300m', 'blog');
  await bench.run('quota:set', 'blog', '--memory', '2g');
  await bench.run('builds:set', 'blog', 'retention', '7');
  await bench.run('git:set', 'blog', 'deploy-branch', 'main');
  await bench.run('domains:add', 'blog', 'www.example.net');
  await bench.deployed('blog');
  bench.heads.set('blog', '1'.repeat(40));
});

describe('apps:clone', () => {
  it('makes an app with the same settings and runs the same image, building nothing', async () => {
    await bench.run('apps:lock', 'blog');
    const { code, stdout } = await bench.run('apps:clone', 'blog', 'copy');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^-----> Cloning blog to copy\n/);
    expect(await json('config:show', 'copy')).toEqual({ SECRET: 'a b' });
    expect(await json('ps:scale', 'copy')).toEqual([
      { process_type: 'web', quantity: 2 },
      { process_type: 'worker', quantity: 1 },
    ]);
    expect((await bench.run('urls', 'copy')).stdout).toBe('http://copy.example.org:8080\n');
    for (const report of ['resource:report', 'quota:report', 'builds:report'])
      expect(await json(report, 'copy'), report).toMatchObject(
        report === 'builds:report' ? { 'computed-retention': '7' } : await json(report, 'blog'),
      );
    expect((await bench.run('apps:locked', 'copy')).code).toBe(1);
    expect(bench.asked).toEqual([]);
    const told = bench.runtime.told.at(-1)?.desired;
    const old = bench.store.releases.live(bench.store.apps.get(parseAppName('blog')));
    expect(told).toMatchObject({ app: { name: 'copy' }, version: 1, image: { id: old?.image } });
    expect(bench.heads.get('copy')).toBe('1'.repeat(40));
    await bench.run('config:set', 'copy', 'SECRET=other');
    expect((await bench.run('config:get', 'blog', 'SECRET')).stdout).toBe('a b\n');
  });

  it('deploys nothing with --skip-deploy, and for an app without a release', async () => {
    bench.runtime.told.length = 0;
    expect((await bench.run('apps:clone', '--skip-deploy', 'blog', 'copy')).code).toBe(0);
    await bench.run('apps:create', 'empty');
    expect((await bench.run('apps:clone', 'empty', 'other')).code).toBe(0);
    expect(bench.runtime.told).toEqual([]);
    expect(await json('releases', 'copy')).toEqual([]);
  });

  it('refuses a name that is taken, but for --ignore-existing, and changes nothing', async () => {
    await bench.run('apps:create', 'copy');
    const { code, stderr } = await bench.run('apps:clone', 'blog', 'copy');
    expect({ code, stderr }).toEqual({ code: 1, stderr: ' !     Name is already taken\n' });
    expect((await bench.run('apps:clone', '--ignore-existing', 'blog', 'copy')).code).toBe(0);
    expect(await json('config:show', 'copy')).toEqual({});
  });

  it.each([
    [['nobody', 'copy'], 20],
    [['blog', '../x'], 1],
    [['blog', 'blog'], 1],
    [['blog'], 2],
  ])('refuses %j', async (words, status) => {
    expect((await bench.run('apps:clone', ...words)).code).toBe(status);
    expect(bench.store.apps.list()).toHaveLength(1);
  });

  it('leaves the clone without a release when it does not start', async () => {
    bench.runtime.says.fault = new WherryError('check-failed', 'It did not listen.');
    expect((await bench.run('apps:clone', 'blog', 'copy')).code).toBe(25);
    expect((await bench.run('apps:exists', 'copy')).code).toBe(0);
    expect((await json('apps:report', 'copy')).release).toBe('');
  });
});
