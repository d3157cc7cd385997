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
  expect(await refused('deploy', '-v', '/:/host')).toContain('is not shown to apps');
  expect(await refused('deploy', '-v', '/srv:/host')).toContain('use storage:mount');
  expect(await refused('deploy', '-v', 'uploads:/data')).toContain('There is no storage uploads');
  expect(await refused('deploy', '--network', 'backend')).toContain('Network backend does not exist');
  expect(await refused('run', '--privileged')).toContain('reaches out');
  expect(await list('deploy')).toBe('');
  expect(await refused('test', '--pull')).toContain('Phase(s) must be one of [build|deploy|run]');
  expect(await list()).toBe('');
});

const deployed = async () => {
  const app = await bench.deployed('blog');
  return bench.deployer.desired(app);
};

it('reach the instances of a deploy, and one-off commands by their own', async () => {
  await bench.run('storage:create', 'uploads');
  const add = (phases: string, ...option: string[]) =>
    bench.run('docker-options:add', 'blog', phases, ...option);
  await add('deploy', '-v', 'uploads:/data:ro');
  await add('deploy,run', '--memory=128m');
  await add('run', '--env', 'RAILS_ENV=console');
  await add('deploy', '--restart', 'no');
  const desired = await deployed();
  const [web, run] = (['web', 'run'] as const).map(type => desired?.options?.(type as never));
  expect(web).toMatchObject({ memory: 128 * 2 ** 20, env: {} });
  expect(run).toMatchObject({ env: { RAILS_ENV: 'console' }, mounts: [] });
  expect(desired?.limits('web' as never).memory).toBe(128 * 2 ** 20);
  expect(desired?.upkeep?.().restart).toEqual({ kind: 'no' });
  const app = bench.store.apps.list()[0] as never;
  expect(await bench.services.volumes.mounts(app, 'web')).toMatchObject([
    { target: '/data', readonly: true },
  ]);
  expect(await bench.services.volumes.mounts(app, 'run')).toEqual([]);
  expect((await bench.run('storage:destroy', 'uploads', '--force')).stderr).toContain(
    'App blog mounts storage',
  );
  expect((await add('deploy', '--tmpfs', '/data')).stderr).toContain('Something is mounted at /data already');
});

it('are of one process type alone where that is named', async () => {
  await bench.run('storage:create', 'uploads');
  const docker = async (verb: string, ...words: string[]) =>
    await bench.run(`docker-options:${verb}`, ...words);
  await docker('add', 'blog', 'deploy', '--memory=128m');
  await docker('add', '--process', 'worker', '--process', 'clock', 'blog', 'deploy', '--memory=64m');
  await docker('add', '--process', 'worker', 'blog', 'deploy', '-v', 'uploads:/data');
  const desired = await deployed();
  const memory = (type: string) => (desired?.limits(type as never).memory ?? 0) / 2 ** 20;
  expect(['web', 'worker', 'clock', 'run'].map(memory)).toEqual([128, 64, 64, 512]);
  const app = bench.store.apps.list()[0] as never;
  expect(await bench.services.volumes.mounts(app, 'worker')).toMatchObject([{ target: '/data' }]);
  expect(await bench.services.volumes.mounts(app, 'web')).toEqual([]);
  expect((await bench.run('storage:destroy', 'uploads', '--force')).stderr).toContain('mounts storage');
  expect((await docker('add', 'blog', 'deploy', '--tmpfs', '/data')).stderr).toContain('mounted at /data');
  expect((await docker('list', '--process', 'worker', 'blog')).stdout).toBe(
    '--memory=64m\n-v uploads:/data\n',
  );
  expect((await docker('list', 'blog', 'deploy')).stdout).toBe('--memory=128m\n');
  expect((await docker('report', 'blog', '--docker-options-deploy.clock')).stdout).toBe('--memory=64m\n');
  await docker('remove', '--process', 'worker', 'blog', 'deploy', '-v', 'uploads:/data');
  await docker('clear', '--process', 'clock', 'blog');
  expect(JSON.parse((await docker('list', 'blog', '--format', 'json')).stdout)).toEqual({
    build: [],
    deploy: ['--memory=128m'],
    run: [],
    'deploy.worker': ['--memory=64m'],
  });
  await docker('clear', 'blog', 'deploy');
  expect(JSON.parse((await docker('list', 'blog', '--format', 'json')).stdout)).toEqual({
    build: [],
    deploy: [],
    run: [],
  });
});

it.each([
  [['build', '--pull'], '--process counts for the phase deploy alone. Leave out build.'],
  [['deploy,run', '--read-only'], 'Leave out run.'],
  [['deploy', '--network', 'backend'], 'of all process types of an app'],
  [['deploy', '--restart=no'], 'of all process types of an app'],
])('are refused for one process type as %j', async (words, why) => {
  await bench.run('network:create', 'backend');
  const ran = await bench.run('docker-options:add', '--process', 'worker', 'blog', ...words);
  expect(ran.stderr).toContain(why);
  expect((await bench.run('docker-options:list', '--process', 'worker', 'blog')).stdout).toBe('');
  const odd = await bench.run('docker-options:add', '--process', '../web', 'blog', 'deploy', '--read-only');
  expect(odd.code).not.toBe(0);
});

it('give way to what resource:limit and ps:set say', async () => {
  await bench.run('docker-options:add', 'blog', 'deploy', '-m', '128m');
  await bench.run('docker-options:add', 'blog', 'deploy', '--restart=no');
  await bench.run('resource:limit', '--memory', '256', 'blog');
  await bench.run('ps:set', 'blog', 'restart-policy', 'always');
  const desired = await deployed();
  expect(desired?.limits('web' as never).memory).toBe(256 * 2 ** 20);
  expect(desired?.upkeep?.().restart).toEqual({ kind: 'always' });
});

it('put an app on a network, and off it when they are removed', async () => {
  await bench.run('network:create', 'backend');
  await bench.run('docker-options:add', 'blog', 'deploy', '--network', 'backend');
  const networks = async () =>
    (await bench.run('network:report', 'blog', '--network-networks')).stdout.trim();
  expect(await networks()).toBe('backend');
  expect((await bench.run('network:destroy', 'backend', '--force')).stderr).toContain('App blog is on');
  await bench.run('docker-options:remove', 'blog', 'deploy', '--network', 'backend');
  expect(await networks()).toBe('');
  expect(bench.runtime.told.filter(({ verb }) => verb === 'reconnect')).toHaveLength(2);
});

it('let an admin of one app neither onto networks nor at storage, which others share', async () => {
  await bench.run('access:grant', 'bob', 'admin', 'blog');
  await bench.run('network:create', 'backend');
  await bench.run('storage:create', 'uploads');
  const actor = { name: 'bob', via: 'ssh' } as const;
  const add = (...option: string[]) =>
    bench.runWith({ words: ['docker-options:add', 'blog', 'deploy', ...option], actor });
  expect((await add('--network', 'backend')).stderr).toContain('Access denied: networks and storage');
  expect((await add('-v', 'uploads:/data')).stderr).toContain('Access denied: networks and storage');
  expect(await add('--read-only')).toMatchObject({ code: 0 });
  expect(await list('deploy')).toBe('--read-only\n');
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
