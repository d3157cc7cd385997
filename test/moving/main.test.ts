import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSsh } from '../../src/moving/dokku/ssh-link.ts';
import { startApi } from '../api/support.ts';
import { herokuBlog, makeHeroku } from '../support/heroku.ts';
import { run } from '../support/run.ts';
import { type SshAnswer, startSshHost } from '../support/ssh-host.ts';
import { answersOf } from './dokku-answers.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let api: Awaited<ReturnType<typeof startApi>>;
let host: Awaited<ReturnType<typeof startSshHost>>;
let answer: (words: readonly string[]) => SshAnswer | 'hang';
beforeEach(async () => {
  api = await startApi();
  host = await startSshHost(words => answer(words));
});
afterEach(async () => {
  await host.close();
  await api.close();
});

const wherry = (...words: string[]) =>
  run(
    process.execPath,
    ['--import', 'tsx', main, '--data', api.folder, ...words, '--ssh-config', host.config],
    {},
  );

const state = {
  form: 'new',
  global: { TZ: 'UTC' },
  apps: {
    blog: {
      config: { SECRET: 'do not show\n"me"' },
      scale: { web: 2, worker: 1 },
      reports: {
        domains: { 'app-enabled': 'true', 'app-vhosts': 'www.example.org' },
        ports: { map: 'http:80:3000' },
        ps: { 'restart-policy': 'on-failure:20', 'stop-timeout-seconds': '60' },
        resource: { 'web.limit.memory': '512', 'web.reserve.memory': '128' },
        checks: { 'disabled-list': 'worker', 'wait-to-retire': '30' },
        network: { 'attach-post-deploy': 'backend' },
        'app-json': { 'appjson-path': 'deploy/app.json' },
        builder: { selected: 'herokuish', 'build-dir': 'apps/web' },
        buildpacks: { list: 'heroku/nodejs' },
        'docker-options': { build: "--build-arg 'A=b c'", deploy: '', run: '' },
        nginx: { 'client-max-body-size': '50m' },
        letsencrypt: { email: 'ann@example.org' },
        git: { 'deploy-branch': 'main' },
      },
      storage: ['/var/lib/dokku/data/storage/blog:/data'],
    },
    shop: {
      reports: { domains: { 'app-enabled': 'true', 'app-vhosts': 'www.example.org shop.example.com' } },
    },
  },
} as const;

// Each starts programs by the dozen.
describe('wherry import dokku', { timeout: 120_000 }, () => {
  it('shows by ssh what would be done, and changes nothing', async () => {
    answer = answersOf(state);
    const shown = await wherry('import', 'dokku', 'old.example.org', '--app', 'blog');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('       wherry domains:add blog www.example.org\n');
    expect(shown.stdout).toContain('=====> Nothing was changed.');
    expect(shown.stdout).not.toContain('do not show');
    expect((await api.bench.run('apps:list', '--quiet')).stdout).toBe('');
    expect(host.logins(), 'one connection carries all').toBe(1);
  });

  it('does it with --apply, goes on after what fails, and does it again without harm', async () => {
    answer = answersOf(state);
    const first = await wherry('import', 'dokku', 'old.example.org', '--apply');
    expect(first.stdout).toContain('www.example.org');
    expect(first.stdout).toContain('=====> 1 step failed.');
    expect(first.code).toBe(1);
    const { bench } = api;
    expect((await bench.run('config:get', 'blog', 'SECRET')).stdout).toBe('do not show\n"me"\n');
    expect((await bench.run('config:get', '--global', 'TZ')).stdout).toBe('UTC\n');
    expect((await bench.run('ps:scale', 'blog', '--quiet')).stdout).toBe('web:  2\nworker: 1\n');
    expect((await bench.run('apps:list', '--quiet')).stdout).toBe('blog\nshop\n');

    const again = await wherry('import', 'dokku', 'old.example.org', '--app', 'blog', '--apply');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).not.toContain('apps:create');
  });

  it('ends with the status of what is wrong', async () => {
    expect(await wherry('import', 'caprover', 'x')).toMatchObject({ code: 2 });
  });
});

describe('wherry import heroku', { timeout: 120_000 }, () => {
  const importing = (path: string, ...words: string[]) =>
    run(process.execPath, ['--import', 'tsx', main, '--data', api.folder, 'import', 'heroku', ...words], {
      env: { PATH: path },
    });

  it('asks the client that is on the PATH, and does it with --apply', async () => {
    const folder = makeHeroku('blog', herokuBlog);
    const path = `${folder}:${process.env['PATH']}`;
    const done = await importing(path, 'blog', '--apply');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(done.stdout).toContain('-----> wherry domains:add blog www.example.org\n');
    expect((await api.bench.run('config:get', 'blog', 'GREETING')).stdout).toBe('grüß\n"me"\n');
    expect(await importing(path, 'shop')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Couldn't find that app."),
    });
    rmSync(folder, { recursive: true, force: true });
  });

  it('says where there is no such client', async () => {
    expect(await importing('/nonexistent', 'blog')).toMatchObject({
      code: 75,
      stderr: expect.stringContaining('There is no "heroku" on the PATH.'),
    });
  });
});

describe('the connection to a dokku host', () => {
  const address = { user: 'dokku', host: 'old.example.org', port: undefined };
  const connect = (patience = 20_000, config = host.config) =>
    connectSsh(address, { config, interactive: false, patience, signal: new AbortController().signal });

  it('gives up on a host that hangs', async () => {
    answer = () => 'hang';
    const { link, close } = await connect(1000);
    await expect(link(['apps:list'])).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('did not answer apps:list within 1 seconds'),
    });
    await close();
  });

  it('takes no more than a few megabytes of an answer', async () => {
    answer = () => ({ out: Buffer.alloc(5 * 2 ** 20, 'x') });
    const { link, close } = await connect();
    await expect(link(['apps:list'])).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('more than 4 MiB'),
    });
    await close();
  });

  it('is refused where the key of the host is another', async () => {
    const other = await startSshHost(() => ({}));
    const { config } = host;
    const options = { config, interactive: false, patience: 10_000, signal: new AbortController().signal };
    await expect(connectSsh({ ...address, port: other.port }, options)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/cannot be reached by ssh: "Host key verification failed/),
    });
    await other.close();
  });
});
