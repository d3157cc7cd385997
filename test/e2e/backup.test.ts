import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadKey } from '../../src/store/key-file.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore } from '../../src/store/store.ts';
import { createPaths } from '../../src/system/paths.ts';
import { probe, probeSaying } from '../support/apps.ts';
import type { Repository } from '../support/git.ts';
import { leftovers } from '../support/leftovers.ts';
import { type Run, run } from '../support/run.ts';
import { startS3 } from '../support/s3.ts';
import { until } from '../support/until.ts';
import { createWherry, startWherry, type Wherry } from '../support/wherry.ts';

const program = new URL('../../bin/wherry', import.meta.url).pathname;
const place = mkdtempSync(join(tmpdir(), 'wherry-place-'));
const folder = `${place}-of-the-host`;
const password = 'CANARY-password-of-backups';
let old: Wherry;
let restored: Wherry;
let blog: Repository;

const restore = (data: string, ...words: string[]): Promise<Run> =>
  run(program, ['restore', place, '--data', data, ...words], { input: `${password}\n`, timeout: 120_000 });
const readIfThere = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const commandLines = (): string =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(pid => readIfThere(`/proc/${pid}/cmdline`))
    .join('\n');
const ok = (ran: Run) => expect(ran.code, ran.output).toBe(0);

beforeAll(async () => {
  old = await startWherry();
  restored = await createWherry();
  await old.cli('storage:create', 'uploads');
  await old.cli('storage:create', 'sized', '--size', '20m');
  writeFileSync(join(old.data, 'storage/uploads/photo'), 'a photo');
  writeFileSync(join(old.data, 'storage/sized/film'), 'a film');
  await old.cli('apps:create', 'blog');
  await old.cli('config:set', '--no-restart', 'blog', 'TOKEN=CANARY-of-config');
  await old.cli('storage:mount', 'blog', 'uploads:/uploads');
  blog = await old.repository('blog', { from: probe });
  ok(await blog.push());
  ok(await (await old.repository('stopped', { from: probe })).push());
  ok(await old.cli('ps:stop', 'stopped'));
  mkdirSync(folder);
  ok(await old.cli('storage:mount', 'stopped', `${folder}:/elsewhere`));
  ok(await old.cli('backup:set', `to=${place}`, 'keep=all'));
  ok(await old.cliWith(`${password}\n`, 'backup:set', 'password'));
  const made = await old.ssh('backup');
  ok(made);
  expect(made.output).toContain(`Folders of the host that apps mount are not in it: ${folder}`);
  rmdirSync(folder);
});
afterAll(async () => {
  await old?.stop();
  await restored?.stop();
  rmSync(place, { recursive: true, force: true });
});

describe('a drill', () => {
  it('restores, starts and compares all of it beside what runs, and leaves nothing', async () => {
    const pid = JSON.parse((await old.get('blog', '/whoami')).text).pid;
    const held = await old.ssh('backup:verify', '--format', 'json');
    ok(held);
    expect(JSON.parse(held.stdout)).toMatchObject({
      apps: [
        { app: 'blog', release: 1, started: true, status: 200 },
        { app: 'stopped', release: 1, started: false, status: null },
      ],
      repositories: 2,
      differences: [],
    });
    expect(existsSync(join(old.data, 'drill'))).toBe(false);
    expect(await leftovers(join(old.data, 'drill'))).toEqual([]);
    expect(JSON.parse((await old.get('blog', '/whoami')).text).pid).toBe(pid);
    expect(old.log()).not.toContain('CANARY');
  });
});

describe('a daemon that is killed in a drill', () => {
  it('leaves nothing of it once it is back', async () => {
    const cut = old.ssh('backup:verify');
    const drill = join(old.data, 'drill');
    await until('the drill at work', () => existsSync(join(drill, 'daemon.pid')), { timeout: 120_000 });
    await old.kill();
    expect((await cut).code).not.toBe(0);
    await old.start();
    await until('its end', async () => !existsSync(drill) && (await leftovers(drill)).length === 0, {
      timeout: 120_000,
    });
  });
});

describe('a backup', () => {
  it('is of one moment, though branches move and apps are made meanwhile', async () => {
    let over = false;
    const moving = (async () => {
      let moves = 0;
      for (; !over && moves < 4; moves += 1) {
        ok(await blog.git('commit', '--quiet', '--allow-empty', '-m', `move ${moves}`));
        ok(await blog.git('push', '--quiet', 'wherry', `HEAD:side-${moves}`));
        ok(await old.cli('apps:create', `made-${moves}`));
      }
      return moves;
    })();
    const made = await old.ssh('backup');
    over = true;
    expect(await moving).toBeGreaterThan(0);
    ok(made);
    const held = await old.ssh('backup:verify');
    ok(held);
    expect(held.stdout).toContain('is good');
    for (const app of (await old.cli('--quiet', 'apps:list')).stdout.trim().split('\n'))
      if (app.startsWith('made-')) ok(await old.cli('apps:destroy', app, '--force'));
    ok(await old.ssh('backup'));
  });
});

describe('a daemon that is killed while it backs up', () => {
  it('leaves the earlier backups good, and makes the next', async () => {
    writeFileSync(join(old.data, 'storage/uploads/large'), randomBytes(80_000_000));
    const before = (await old.cli('backup:list')).stdout;
    const cut = old.ssh('backup');
    await until('files on their way', () => commandLines().includes(join(old.data, 'backup/files')));
    expect(commandLines()).not.toContain('CANARY');
    await old.kill();
    expect((await cut).code).not.toBe(0);
    await old.start();
    expect(readdirSync(join(old.data, 'backup'))).toEqual([]);
    expect((await old.cli('backup:list')).stdout).toBe(before);
    rmSync(join(old.data, 'storage/uploads/large'));
    ok(await old.ssh('backup'));
    expect((await old.cli('backup:list')).stdout.split('\n')).toHaveLength(before.split('\n').length + 1);
  });
});

describe('an S3 server', () => {
  it('takes a backup, gives it back on another host, and holds nothing in clear', async () => {
    const s3 = await startS3();
    const other = await createWherry();
    try {
      const url = `s3+http://${s3.address}/backups/wherry`;
      expect((await old.ssh('backup', '--to', url)).output).toContain('needs a key');
      ok(await old.cliWith(`${s3.secretKey}\n`, 'backup:set', `access-key=${s3.accessKey}`, 'secret-key'));
      ok(await old.ssh('backup', '--to', url));
      const again = await old.ssh('backup', '--to', url, '--format', 'json');
      expect(JSON.parse(again.stdout).added).toBeLessThan(1_000_000);
      const stored = await run('grep', ['-rlE', 'CANARY|a photo|a film', s3.directory]);
      expect(stored.output).toBe('');

      const words = ['restore', url, '--data', other.data];
      const env = { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey };
      const wrong = await run(program, words, {
        input: `${password}\n`,
        env: { ...env, AWS_ACCESS_KEY_ID: 'NOBODY' },
      });
      expect(wrong.output).toContain('refuses the key');
      const done = await run(program, words, { input: `${password}\n`, env, timeout: 120_000 });
      ok(done);
      expect(done.output).toContain('2 apps are in');
      expect(readFileSync(join(other.data, 'storage/uploads/photo'), 'utf8')).toBe('a photo');
      s3.stop();
      const away = await old.ssh('backup', '--to', url);
      expect(away).toMatchObject({ code: 75 });
      expect(away.output).toContain('does not answer');
      expect((await old.cli('events')).stdout).toContain('The backup failed');
    } finally {
      s3.stop();
      await other.stop();
    }
  });
});

describe('a restore', () => {
  it('refuses a folder that is not empty, and takes no wrong password', async () => {
    const refused = await restore(old.data);
    expect(refused).toMatchObject({ code: 22 });
    expect(refused.output).toContain('is not empty');
    expect((await restore(old.data, '--force')).output).toContain('Stop it, and its apps');
    const wrong = await run(program, ['restore', place, '--data', restored.data], { input: 'wrong\n' });
    expect(wrong.output).toContain('another password');
    expect((await restore(restored.data, '--at', 'ffffffff')).output).toContain(
      'There is no backup ffffffff',
    );
    expect(readdirSync(restored.data)).toEqual([]);
  });

  it('begins anew where one was cut off, and says what comes and what does not', async () => {
    mkdirSync(join(restored.data, '.restoring/half'), { recursive: true });
    mkdirSync(join(restored.data, 'repos/half.git'), { recursive: true });
    const done = await restore(restored.data);
    ok(done);
    expect(done.output).toContain('2 apps are in');
    expect(done.output).toContain('1 apps start with it');
    expect(done.output).toContain(`App stopped mounts ${folder}, which this host does not have`);
    expect(existsSync(join(restored.data, 'repos/half.git'))).toBe(false);
    expect(existsSync(join(restored.data, '.restoring'))).toBe(false);
    expect(readFileSync(join(restored.data, 'storage/uploads/photo'), 'utf8')).toBe('a photo');
    expect(readFileSync(join(restored.data, 'storage/sized/film'), 'utf8')).toBe('a film');
  });

  it('has every layer of every release, those of the stack too', () => {
    const paths = createPaths({ data: restored.data });
    const store = openStore(paths.database, createSeal(loadKey(paths.secretKey, paths.database)));
    const layers = store.images.list().flatMap(image => image.layers);
    store.close();
    expect(layers.length).toBeGreaterThan(2);
    for (const id of layers)
      expect(existsSync(join(paths.layers, id.replace(':', '-'), 'fs')), id).toBe(true);
  });

  it('starts its apps as they were, without a build', async () => {
    await restored.start();
    await until('the app that was restored', async () => (await restored.get('blog')).status === 200);
    expect(await restored.get('blog')).toMatchObject({
      status: 200,
      text: expect.stringContaining('probe one'),
    });
    expect((await restored.cli('config:get', 'blog', 'TOKEN')).stdout).toBe('CANARY-of-config\n');
    expect((await restored.cli('ps:report', 'stopped', '--running')).stdout).toContain('false');
    expect((await restored.cli('releases', 'blog', '--format', 'json')).stdout).toBe(
      (await old.cli('releases', 'blog', '--format', 'json')).stdout,
    );
    expect((await restored.cli('storage:info', 'sized')).stdout).toMatch(/sized .* of 20/);
  });

  it('knows people, keys and branches, and takes the next push', async () => {
    const hostKeys = (data: string) =>
      readdirSync(join(data, 'host-keys')).map(name => readFileSync(join(data, 'host-keys', name), 'utf8'));
    expect(hostKeys(restored.data)).toEqual(hostKeys(old.data));
    blog.write(probeSaying('probe two'));
    await blog.commit('two');
    ok(await blog.git('push', `ssh://wherry@127.0.0.1:${restored.sshPort}/blog`, 'main'));
    expect((await restored.get('blog')).text).toContain('probe two');
  });
});
