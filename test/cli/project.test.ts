import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findDestination } from '../../src/cli/destination.ts';
import { must } from '../support/run.ts';

let folder: string;
let env: Record<string, string>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wherry-project-'));
  env = { PATH: process.env['PATH'] ?? '', HOME: folder };
  await must('git', ['init', '-q', folder], { env });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const addRemote = (name: string, url: string) =>
  must('git', ['-C', folder, 'remote', 'add', name, url], { env });
const nowhere = () => ({ data: join(folder, 'no-data'), isLocal: false });
const remote = { user: 'wherry', host: 'apps.example.org', port: 2222 };

describe('where a command goes', () => {
  it('is the host of the remote named wherry, else dokku, from any folder of the repository', async () => {
    await addRemote('origin', 'git@forge.example.org:ann/blog.git');
    expect(await findDestination(nowhere(), { folder, env })).toMatchObject({
      kind: 'socket',
      app: undefined,
    });
    await addRemote('dokku', 'dokku@old.example.org:blog');
    const old = { kind: 'ssh', app: 'blog', remote: { user: 'dokku', host: 'old.example.org' } };
    expect(await findDestination(nowhere(), { folder, env })).toEqual(old);
    await addRemote('wherry', 'ssh://wherry@apps.example.org:2222/shop');
    const deep = join(folder, 'src', 'deep');
    mkdirSync(deep, { recursive: true });
    expect(await findDestination(nowhere(), { folder: deep, env })).toEqual({
      kind: 'ssh',
      app: 'shop',
      remote,
    });
  });

  it('is WHERRY_HOST before that, with the app of the folder', async () => {
    await addRemote('wherry', 'wherry@apps.example.org:blog');
    const named = { ...env, WHERRY_HOST: 'ann@other.example.org' };
    expect(await findDestination(nowhere(), { folder, env: named })).toEqual({
      ...{ kind: 'ssh', app: 'blog' },
      remote: { user: 'ann', host: 'other.example.org', port: 2222 },
    });
    await expect(
      findDestination(nowhere(), { folder, env: { ...env, WHERRY_HOST: '-oProxyCommand=id' } }),
    ).rejects.toThrow('WHERRY_HOST');
  });

  it('is the daemon of this host when it is there, or --data says so', async () => {
    await addRemote('wherry', 'wherry@apps.example.org:blog');
    const path = join(folder, 'control.sock');
    const server = createServer();
    await new Promise<void>(resolve => server.listen(path, resolve));
    const here = { kind: 'socket', path, app: 'blog' };
    expect(await findDestination({ data: folder, isLocal: false }, { folder, env })).toEqual(here);
    server.close();
    const named = { ...env, WHERRY_HOST: 'other.example.org' };
    expect(await findDestination({ data: folder, isLocal: true }, { folder, env: named })).toEqual(here);
  });

  it('is not spoilt by a repository that is none', async () => {
    const broken = join(folder, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, '.git'), 'gitdir: /nowhere\n');
    expect(await findDestination(nowhere(), { folder: broken, env })).toMatchObject({ kind: 'socket' });
  });
});
