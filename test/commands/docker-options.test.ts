import { beforeEach, expect, it } from 'vitest';
import { type Bench, createBench } from './support.ts';

let bench: Bench;
beforeEach(async () => {
  bench = createBench();
  await bench.run('apps:create', 'blog');
});
const list = async (phase = 'build') => (await bench.run('docker-options:list', 'blog', phase)).stdout;

it('are kept as they were written, once each, in order', async () => {
  await bench.run('docker-options:add', 'blog', 'build', '--build-arg', 'NODE_VERSION=20');
  await bench.run('docker-options:add', 'blog', 'build', '--build-arg "A=b c"');
  await bench.run('docker-options:add', 'blog', 'build', '--build-arg', 'B=c d');
  await bench.run('docker-options:add', 'blog', 'build', '--no-cache');
  await bench.run('docker-options:add', 'blog', 'build', '--no-cache');
  expect(await list()).toBe(
    `--build-arg NODE_VERSION=20\n--build-arg "A=b c"\n--build-arg 'B=c d'\n--no-cache\n`,
  );
  expect((await bench.run('docker-options:report', 'blog', '--docker-options-build')).stdout).toBe(
    `--build-arg NODE_VERSION=20 --build-arg "A=b c" --build-arg 'B=c d' --no-cache\n`,
  );
});

it('are removed as they were written, and cleared', async () => {
  await bench.run('docker-options:add', 'blog', 'build', '--build-arg', 'A=1');
  await bench.run('docker-options:add', 'blog', 'build', '--pull');
  await bench.run('docker-options:remove', 'blog', 'build', '--build-arg A=1');
  expect(await list()).toBe('--pull\n');
  expect((await bench.run('docker-options:remove', 'blog', 'build', '--pull=x')).code).toBe(0);
  await bench.run('docker-options:clear', 'blog');
  expect(await list()).toBe('');
});

it('are refused where they are unsafe or mean nothing, and nothing is kept', async () => {
  const refused = async (...words: string[]) =>
    (await bench.run('docker-options:add', 'blog', ...words)).stderr;
  expect(await refused('build', '--network=host')).toContain('reaches out');
  expect(await refused('build,deploy', '--build-arg', 'A=1')).toContain('counts while building');
  expect(await refused('deploy', '-v', '/:/host')).toContain('use storage:mount');
  expect(await refused('test', '--pull')).toContain('Phase(s) must be one of [build|deploy|run]');
  expect(await list()).toBe('');
});

it('take flags of Wherry only in front of the option', async () => {
  await bench.run('docker-options:add', '--app', 'blog', 'build', '--build-arg', '--app=x').catch(() => {});
  await bench.run('docker-options:add', '--app', 'blog', 'build', '--label', 'quiet=--quiet');
  expect(await list()).toBe('--label quiet=--quiet\n');
});

it('leave a Dockerfile elsewhere to builder-dockerfile:set', async () => {
  const report = async () =>
    (await bench.run('builder-dockerfile:report', 'blog', '--builder-dockerfile-computed-dockerfile-path'))
      .stdout;
  expect(await report()).toBe('Dockerfile\n');
  await bench.run('builder-dockerfile:set', '--global', 'dockerfile-path', 'Dockerfile.all');
  expect(await report()).toBe('Dockerfile.all\n');
  await bench.run('builder-dockerfile:set', 'blog', 'dockerfile-path', 'docker/web.Dockerfile');
  expect(await report()).toBe('docker/web.Dockerfile\n');
  const outside = await bench.run('builder-dockerfile:set', 'blog', 'dockerfile-path', '../x');
  expect(outside.stderr).toContain('is not a file inside the repository');
  await bench.run('builder-dockerfile:set', 'blog', 'dockerfile-path');
  expect(await report()).toBe('Dockerfile.all\n');
});
