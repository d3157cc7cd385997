import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../support/apps.ts';
import { must, run } from '../support/run.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

describe('over SSH', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry();
  });
  afterAll(() => wherry?.stop());

  const ssh = (user: string, key: string, ...words: string[]) =>
    run(
      'ssh',
      [
        ...['-F', '/dev/null', '-i', key, '-p', String(wherry.sshPort)],
        ...['IdentitiesOnly=yes', 'IdentityAgent=none', 'BatchMode=yes', 'StrictHostKeyChecking=no'].flatMap(
          option => ['-o', option],
        ),
        ...[
          '-o',
          'UserKnownHostsFile=/dev/null',
          '-o',
          'LogLevel=ERROR',
          `${user}@127.0.0.1`,
          '--',
          ...words,
        ],
      ],
      { timeout: 30_000 },
    );

  it.each([['wherry'], ['dokku'], ['git']])('the user %s is let in by its key', async user => {
    const result = await ssh(user, wherry.key, 'version');
    expect(result.code, result.output).toBe(0);
  });

  it('another user name is not', async () => {
    expect((await ssh('root', wherry.key, 'version')).code).toBe(255);
  });

  it('a key that is not registered is not, and one that was removed no more', async () => {
    const stranger = `${wherry.scratch}/stranger`;
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    expect((await ssh('wherry', stranger, 'version')).code).toBe(255);
    const key = await must('cat', [`${stranger}.pub`]);
    expect((await wherry.cliWith(key, 'ssh-keys:add', 'stranger')).code).toBe(0);
    expect((await ssh('wherry', stranger, 'version')).code).toBe(0);
    expect((await wherry.cli('ssh-keys:remove', 'stranger')).code).toBe(0);
    expect((await ssh('wherry', stranger, 'version')).code).toBe(255);
  });

  it('words reach a command as they were quoted, and no shell', async () => {
    await wherry.cli('apps:create', 'quoted');
    const set = await ssh('wherry', wherry.key, 'config:set', 'quoted', `"A=two  words; $(id) \\\`id\\\`"`);
    expect(set.code, set.output).toBe(0);
    expect((await wherry.cli('config:get', 'quoted', 'A')).stdout).toMatch(/^two {2}words; \$\(id\) /);
  });

  it('an unknown command is named, with one that is near', async () => {
    const result = await ssh('wherry', wherry.key, 'apps:lst');
    expect(result.code).not.toBe(0);
    expect(result.stderr).toMatch(/apps:lst/);
    expect(result.stderr).toMatch(/apps:list/);
  });
});

describe('a web process', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry({ env: { WHERRY_READY_TIMEOUT: '10' } });
  });
  afterAll(() => wherry?.stop());

  const appJson = (path: string) =>
    JSON.stringify({ healthchecks: { web: [{ type: 'startup', name: 'answers', path }] } });

  it('that is a folder with an index.html is served', async () => {
    const repository = await wherry.repository('site', {
      files: { 'index.html': '<h1>A static site</h1>\n', 'style/main.css': 'h1 { color: navy }\n' },
    });
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('site')).text).toContain('A static site');
    expect((await wherry.get('site', '/style/main.css')).headers['content-type']).toMatch(/text\/css/);
    expect((await wherry.get('site', '/missing')).status).toBe(404);
  });

  it('is ready when the path of its health check answers', async () => {
    const repository = await wherry.repository('checked', {
      from: probe,
      files: { 'app.json': appJson('/whoami') },
    });
    const pushed = await repository.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('checked')).status).toBe(200);
  });

  it('that never answers its health check is refused within the limit, with the status it gave', async () => {
    const repository = await wherry.repository('checked', {
      from: probe,
      files: { 'app.json': appJson('/no-such-path') },
    });
    const pushed = await repository.push('--force', 'wherry', 'main');
    expect(pushed.code).not.toBe(0);
    expect(pushed.stderr).toMatch(/no-such-path/);
    expect(pushed.stderr).toMatch(/404/);
    expect((await wherry.get('checked')).status).toBe(200);
  });
});

describe('a Wherry that does not create apps by a push', () => {
  let wherry: Wherry;
  beforeAll(async () => {
    wherry = await startWherry({ env: { WHERRY_AUTOCREATE: 'false' } });
  });
  afterAll(() => wherry?.stop());

  it('refuses one to an unknown app with the command that makes it, and takes it after that', async () => {
    const repository = await wherry.repository('fresh', { from: probe });
    const refused = await repository.push();
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('App fresh does not exist');
    expect((await wherry.ssh('apps:create', 'fresh')).code).toBe(0);
    expect((await repository.push()).code).toBe(0);
    expect((await wherry.get('fresh')).text).toBe('probe one');
  });
});
