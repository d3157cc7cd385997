import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfigKey } from '../../src/domain/names.ts';
import { createBench } from '../commands/support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wherry-backups-'));
const to = join(scratch, 'place');
const bench = createBench();
const password = 'CANARY-of-the-password-1';
const secret = 'CANARY-of-the-config-2';
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const inRepository = (...args: string[]): string =>
  execFileSync('restic', [...args, '--no-cache'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], RESTIC_PASSWORD: password, RESTIC_REPOSITORY: to },
  });
const backup = async (...words: string[]) => {
  const ran = await bench.run('backup', '--format', 'json', ...words);
  return { ...ran, made: ran.code === 0 ? JSON.parse(ran.stdout) : undefined };
};
const listed = async () => JSON.parse((await bench.run('backup:list', '--format', 'json')).stdout);

beforeAll(async () => {
  const { paths, store } = bench;
  writeFileSync(paths.secretKey, 'k'.repeat(32));
  mkdirSync(join(paths.storage, 'uploads'), { recursive: true });
  writeFileSync(join(paths.storage, 'uploads', 'photo'), `a photo ${randomBytes(1_000_000).toString('hex')}`);
  mkdirSync(join(paths.layers, `sha256-${'a'.repeat(64)}`, 'fs'), { recursive: true });
  writeFileSync(join(paths.layers, `sha256-${'a'.repeat(64)}`, 'layer.json'), '{}');
  const app = await bench.deployed('blog', ['web'], { layers: [`sha256:${'a'.repeat(64)}`] });
  store.config.set(app, new Map([[parseConfigKey('TOKEN'), secret]]));
});

describe('before anything is set', () => {
  it('says what is missing, one after the other', async () => {
    expect((await bench.run('backup')).stderr).toContain('It is not set where backups go.');
    await bench.run('backup:set', `to=${to}`);
    expect((await bench.run('backup')).stderr).toContain('None is set.');
    await bench.runWith({ words: ['backup:set', 'password'], stdin: `${password}\n` });
    expect((await bench.run('backup:list')).stderr).toContain(`There are no backups at ${to}.`);
  });

  it('takes no secret as a word, and no short password', async () => {
    expect(await bench.run('backup:set', `password=${password}`)).toMatchObject({ code: 2 });
    const short = await bench.runWith({ words: ['backup:set', 'password'], stdin: 'short\n' });
    expect(short.stderr).toContain('could guess it');
    const both = await bench.runWith({ words: ['backup:set', 'password', 'secret-key'], stdin: 'x\n' });
    expect(both.stderr).toContain('Standard input has one secret');
    expect((await bench.run('audit', '-n', '1000')).stdout).not.toContain('CANARY');
  });

  it('puts none into the data directory, nor beside files of others', async () => {
    expect((await bench.run('backup', '--to', join(bench.paths.data, 'backups'))).stderr).toContain(
      'would be lost with it',
    );
    const other = join(scratch, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'letter'), '');
    expect((await bench.run('backup', '--to', other)).stderr).toContain('holds other files');
    expect(readdirSync(other)).toEqual(['letter']);
  });
});

describe('a backup', () => {
  it('holds database, key, layers and storage, and leaves nothing behind', async () => {
    const { made } = await backup();
    expect(made).toMatchObject({ to, apps: 1, volumes: ['uploads'], missed: [], forgotten: 0 });
    const files = inRepository('ls', 'latest');
    const { paths } = bench;
    for (const path of [
      join(paths.backup, 'stage/wherry.db'),
      join(paths.backup, 'stage/manifest.json'),
      join(paths.storage, 'uploads/photo'),
      join(paths.layers, `sha256-${'a'.repeat(64)}`, 'layer.json'),
      join(paths.backup, 'stage/secret.key'),
    ])
      expect(files).toContain(`${path}\n`);
    expect(existsSync(join(paths.backup, 'stage'))).toBe(false);
  });

  it('sends only what changed, the next time', async () => {
    writeFileSync(join(bench.paths.storage, 'uploads', 'second'), 'b'.repeat(1000));
    const { made } = await backup();
    expect(made).toMatchObject({ new_files: 1 });
    expect(made.added).toBeLessThan(made.size / 2);
    expect(await listed()).toHaveLength(2);
  });

  it('leaves storage and the key out where that is wished', async () => {
    await bench.run('backup:set', 'key=apart');
    const { made } = await backup('--volumes', 'none');
    expect(made).toMatchObject({ volumes: [], without_volumes: ['uploads'] });
    const files = inRepository('ls', 'latest');
    expect(files).not.toContain('secret.key');
    expect(files).not.toContain('photo');
    await bench.run('backup:set', 'key=');
    expect((await bench.run('backup', '--volumes', 'nosuch')).stderr).toContain(
      'There is no storage nosuch.',
    );
  });

  it('leaves out storage that is not mounted, and says so, rather than hold an empty folder', async () => {
    const { images, storage } = bench.paths;
    mkdirSync(images);
    mkdirSync(join(storage, 'sized'));
    writeFileSync(join(images, 'sized.ext4'), '');
    expect((await backup()).made).toMatchObject({ volumes: ['uploads'], without_volumes: ['sized'] });
    rmSync(images, { recursive: true });
    rmSync(join(storage, 'sized'), { recursive: true });
  });

  it('shows no secret in what is stored, logged or told', async () => {
    const stored = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter(name =>
      /[0-9a-f]{64}$|config/.test(name),
    );
    expect(stored.length).toBeGreaterThan(3);
    for (const name of stored) {
      const bytes = readFileSync(join(to, name)).toString('latin1');
      for (const canary of [password, secret, 'a photo']) expect(bytes).not.toContain(canary);
    }
    const told = [await bench.run('backup:report'), await bench.run('backup:report', '--format', 'json')];
    expect(JSON.stringify([told, bench.logged])).not.toContain('CANARY');
  });

  it('is kept as long as is said', async () => {
    const { length } = await listed();
    await bench.run('backup:set', 'keep=2');
    expect((await backup()).made.forgotten).toBe(length - 1);
    expect(await listed()).toHaveLength(2);
  });

  it('is one at a time', async () => {
    const [first, second] = await Promise.all([backup(), backup()]);
    expect([first.code, second.code].sort()).toEqual([0, 22]);
  });

  it('that is cut off leaves the earlier ones good', async () => {
    const before = await listed();
    const large = join(bench.paths.storage, 'uploads', 'large');
    writeFileSync(large, randomBytes(60_000_000));
    const leaving = new AbortController();
    setTimeout(() => leaving.abort(), 1200);
    const cut = await bench.runWith({ words: ['backup'], signal: leaving.signal });
    if (cut.code !== 0) expect(await listed()).toEqual(before);
    inRepository('unlock');
    inRepository('check', '--read-data');
    rmSync(large);
    expect((await backup()).code).toBe(0);
  });

  it('that meets another password says so, and is in the report', async () => {
    await bench.runWith({ words: ['backup:set', 'password'], stdin: 'another long password\n' });
    const refused = await bench.run('backup');
    expect(refused.stderr).toContain('encrypted under another password');
    expect((await bench.run('backup:report')).stdout).toContain('encrypted under another password');
    expect((await bench.run('events')).stdout).toContain('The backup failed');
    const examined = await bench.run('doctor');
    expect(examined).toMatchObject({ code: 1, stdout: expect.stringContaining('The last backup failed') });
    await bench.runWith({ words: ['backup:set', 'password'], stdin: `${password}\n` });
  });
});

describe('a disk that is full', () => {
  it('is told in a sentence, and what was there is good', async () => {
    const full = join(scratch, 'full');
    mkdirSync(full);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', full]);
    try {
      expect((await backup('--to', full)).code).toBe(0);
      writeFileSync(join(bench.paths.storage, 'uploads', 'larger'), randomBytes(30_000_000));
      const refused = await bench.run('backup', '--to', full);
      expect(refused).toMatchObject({ code: 75, stderr: expect.stringContaining(`no room left at ${full}`) });
      rmSync(join(bench.paths.storage, 'uploads', 'larger'));
      const found = JSON.parse((await bench.run('backup:list', '--to', full, '--format', 'json')).stdout);
      expect(found).toHaveLength(1);
      expect((await backup('--to', full)).code).toBe(0);
    } finally {
      execFileSync('umount', [full]);
    }
  });
});

describe('a host without restic', () => {
  it('says so, and what to install', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = '/nonexistent';
    try {
      const refused = await bench.run('backup');
      expect(refused).toMatchObject({ code: 75, stderr: expect.stringContaining('need the program restic') });
      expect(refused.stderr).toContain('apt-get install restic');
    } finally {
      process.env['PATH'] = PATH;
    }
  });
});

describe('a server that is away', () => {
  it('is told in a sentence', async () => {
    await bench.run('backup:set', 'access-key=ann');
    await bench.runWith({ words: ['backup:set', 'secret-key'], stdin: 'CANARY-of-s3\n' });
    const refused = await bench.run('backup', '--to', 's3+http://127.0.0.1:1/bucket');
    expect(refused).toMatchObject({ code: 75 });
    expect(refused.stderr).toContain('does not answer');
    expect(refused.stderr).not.toContain('CANARY');
  }, 120_000);
});
