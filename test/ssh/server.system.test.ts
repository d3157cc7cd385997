import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Client, type ClientChannel } from 'ssh2';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WherryError } from '../../src/domain/errors.ts';
import { spawn } from '../../src/system/exec.ts';
import { type Harness, latch, startHarness } from '../receive/harness.ts';
import { run } from '../support/run.ts';
import { sleep, until } from '../support/until.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({
    attempts: 3,
    strangersPerAddress: 6,
    linePerAddress: 20,
    grace: 1500,
    idle: 700,
  });
});
afterAll(() => harness.end());
afterEach(() => {
  harness.dispatch = async () => 0;
});

/** The server still takes a command: nothing before has hurt it. */
async function expectAlive() {
  await until('a login', async () => (await harness.ssh(['version'])).code === 0);
}

const stranger = () => join(harness.data, '../stranger');

describe('a command', () => {
  it('arrives as words, with its actor, and ends with its status and both streams', async () => {
    let words: readonly string[] = [];
    harness.dispatch = async request => {
      words = request.words;
      expect(request.actor).toMatchObject({ name: 'me', via: 'ssh' });
      request.stdout.write('to stdout\n');
      request.stderr.write('to stderr\n');
      return 23;
    };
    const result = await harness.ssh([`config:set app "KEY=a  b" 'x;id'`]);
    expect(words).toEqual(['config:set', 'app', 'KEY=a  b', 'x;id']);
    expect(result).toMatchObject({ code: 23, stdout: 'to stdout\n', stderr: 'to stderr\n' });
  });

  it('reads its standard input', async () => {
    harness.dispatch = async ({ stdin, stdout }) => {
      for await (const chunk of stdin) stdout.write(chunk);
      return 0;
    };
    const input = 'x'.repeat(3 * 2 ** 20);
    const result = await run('ssh', [...harness.sshArgs(), 'cat'], { input, timeout: 30_000 });
    expect(result.stdout).toHaveLength(input.length);
  });

  it('that leaves its input unread ends nevertheless', async () => {
    const result = await run('ssh', [...harness.sshArgs(), 'x'], {
      input: 'y'.repeat(5 * 2 ** 20),
      timeout: 30_000,
    });
    expect(result.code).toBe(0);
  });

  it('that fails tells one sentence; a fault of ours tells no detail', async () => {
    harness.dispatch = async () => {
      throw new WherryError('app-not-found', 'App x does not exist');
    };
    expect(await harness.ssh(['x'])).toMatchObject({
      code: 20,
      stderr: ' !     App x does not exist\n',
      stdout: '',
    });
    harness.dispatch = async () => {
      throw new Error('password=hunter2');
    };
    const fault = await harness.ssh(['x']);
    expect(fault.code).toBe(1);
    expect(fault.stderr).not.toContain('hunter2');
  });

  it('with an open quote is refused', async () => {
    expect(await harness.ssh([`config:set "a`])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('open "'),
    });
  });

  it.each(['git-receive-pack', 'git-receive-pack a b', 'git upload-archive a', "git-upload-archive 'a'"])(
    'that misuses git (%s) is refused',
    async line => {
      const result = await harness.ssh([line]);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/^ ! {5}.*\n$/);
    },
  );

  it('learns at once that its client is gone', async () => {
    const started = latch();
    const aborted = latch();
    harness.dispatch = async ({ signal, stdout }) => {
      signal.addEventListener('abort', aborted.open);
      started.open();
      await aborted.opened;
      stdout.write('nobody reads this\n');
      return 0;
    };
    const client = spawn('ssh', [...harness.sshArgs(), 'logs'], { stdio: 'ignore' });
    await started.opened;
    client.kill('SIGKILL');
    await aborted.opened;
    await expectAlive();
  });
});

describe('a server that stops', () => {
  it('stops its commands and lets them say so, within moments', async () => {
    const own = await startHarness();
    const started = latch();
    own.dispatch = async ({ signal }) => {
      started.open();
      await new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
      return 0;
    };
    const command = own.ssh(['logs', '-t']);
    await started.opened;
    const begun = performance.now();
    await own.end();
    expect(performance.now() - begun).toBeLessThan(1500);
    expect(await command).toMatchObject({
      code: 130,
      stderr: ' !     Wherry is stopping. Try again in a moment.\n',
    });
  });
});

describe('without a command', () => {
  it.each([[[]], [['-t']]])("with flags %j the key's user is greeted, and no shell is given", async flags => {
    const result = await harness.ssh([], { flags });
    expect(result.code).toBe(1);
    expect(result.output).toContain('Hello me, your key works. Wherry gives no shell here.');
  });
});

describe('who may not come in', () => {
  it('is a key that is not registered, under any name', async () => {
    for (const user of ['wherry', 'root']) {
      const result = await harness.ssh(['x'], { key: stranger(), user });
      expect(result.code).toBe(255);
      expect(result.stderr).toContain('Permission denied (publickey)');
    }
  });

  it('is a registered key under another name', async () => {
    expect((await harness.ssh(['x'], { user: 'root' })).stderr).toContain('Permission denied (publickey)');
    for (const user of ['git', 'dokku']) expect((await harness.ssh(['x'], { user })).code).toBe(0);
  });

  it('is a password', async () => {
    const flags = ['-o', 'PreferredAuthentications=password,keyboard-interactive'];
    expect((await harness.ssh(['x'], { flags })).stderr).toContain('Permission denied (publickey)');
  });

  it('is who tries too many keys, even if the next one were right', async () => {
    const wrong = [1, 2, 3, 4].map(index => join(harness.data, `../wrong-${index}`));
    for (const file of wrong) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    const flags = wrong.slice(1).flatMap(file => ['-i', file]);
    const result = await harness.ssh(['x'], {
      key: wrong[0] ?? '',
      flags: [...flags, '-i', join(harness.data, '../key')],
    });
    expect(result.code).toBe(255);
    const few = await harness.ssh(['x'], {
      key: wrong[0] ?? '',
      flags: ['-i', join(harness.data, '../key')],
    });
    expect(few.code, few.output).toBe(0);
  });

  it('is told of, once a connection that nobody came in by, and words that are none', async () => {
    const before = harness.refused.length;
    await harness.ssh(['x'], { key: stranger() });
    await until('a note', () => harness.refused.length > before);
    expect(harness.refused.slice(before)).toEqual([expect.stringMatching(/127\.0\.0\.1 SHA256:$/)]);
    const flags = ['-i', join(harness.data, '../key')];
    expect((await harness.ssh(['x'], { key: stranger(), flags })).code).toBe(0);
    expect((await harness.ssh(["x 'y"])).code).not.toBe(0);
    await harness.ssh(["git-upload-pack '../../x'"]);
    await until('notes of words', () => harness.refused.length >= before + 3);
    expect(harness.refused.slice(before + 1)).toEqual(['me unknown usage', 'me unknown invalid']);
  });
});

describe('what is not offered', () => {
  it.each([
    ['Ciphers=aes128-cbc'],
    ['Ciphers=chacha20-poly1305@openssh.com'],
    ['KexAlgorithms=diffie-hellman-group14-sha1'],
    ['KexAlgorithms=ecdh-sha2-nistp256'],
    ['HostKeyAlgorithms=ssh-rsa'],
    ['Ciphers=aes128-ctr', 'MACs=hmac-sha1'],
  ])('%s %s', async (...settings) => {
    const flags = settings.filter(setting => setting !== undefined).flatMap(setting => ['-o', setting]);
    const result = await harness.ssh(['x'], { flags });
    expect(result.code).toBe(255);
    await expectAlive();
  });

  it.each([
    ['HostKeyAlgorithms=rsa-sha2-512'],
    ['HostKeyAlgorithms=rsa-sha2-256'],
    ['Ciphers=aes256-gcm@openssh.com'],
    ['Ciphers=aes256-ctr'],
    ['KexAlgorithms=curve25519-sha256@libssh.org'],
  ])('but %s is', async setting => {
    expect((await harness.ssh(['x'], { flags: ['-o', setting] })).code).toBe(0);
  });

  it.each([
    ['forwarding to a host', ['-W', '127.0.0.1:22'], []],
    ['forwarding from here', ['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:9'], ['x']],
    ['a forwarded socket', ['-o', 'ExitOnForwardFailure=yes', '-R', '/tmp/wherry-none:127.0.0.1:9'], ['x']],
    ['SFTP', ['-s'], ['sftp']],
    ['another subsystem', ['-s'], ['netconf']],
  ])('%s', async (_name, flags, words) => {
    const result = await harness.ssh(words, { flags });
    expect(result.code).toBe(255);
    await expectAlive();
  });

  it("an environment but git's protocol version", async () => {
    const repository = await harness.repository('env');
    await repository.push();
    const ask = (value: string) =>
      harness.ssh([`git-upload-pack 'env'`], { flags: ['-n', '-o', `SetEnv=GIT_PROTOCOL=${value}`] });
    expect((await ask('version=2')).stdout).toContain('version 2');
    for (const value of ['version=2:x', 'version=9', 'x'])
      expect((await ask(value)).stdout).not.toContain('version 2');
  });
});

describe('connections that say nothing useful', () => {
  const sockets: Socket[] = [];
  const dial = async () => {
    const socket = connect(harness.port, '127.0.0.1');
    socket.on('error', () => {});
    sockets.push(socket);
    await new Promise(resolve => socket.once('connect', resolve));
    return socket;
  };
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });

  it('are limited by address, closed after the grace time, and then make room for who waits in line', async () => {
    const dialled = await Promise.all(Array.from({ length: 32 }, dial));
    for (const socket of dialled) socket.resume();
    // 6 at their handshake, 20 in line.
    await until('the surplus to be closed', () => dialled.filter(socket => socket.closed).length === 6);
    expect((await harness.ssh(['x'])).code).toBe(255);
    const begun = performance.now();
    await until('all to be closed', () => dialled.every(socket => socket.closed));
    expect(performance.now() - begun).toBeLessThan(6000);
    await expectAlive();
  });

  it('and many that do are all served', async () => {
    const runs = await Promise.all(Array.from({ length: 18 }, () => harness.ssh(['x'])));
    expect(runs.map(({ code }) => code)).toEqual(Array(18).fill(0));
  });

  it.each([
    ['rubbish', randomBytes(100_000)],
    ['a web request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['an endless greeting', Buffer.from(`SSH-2.0-${'x'.repeat(100_000)}`)],
    ['SSH 1', Buffer.from('SSH-1.5-old\r\n')],
    ['a packet of four gigabytes', Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(64, 0xff)])],
    [
      'rubbish after the greeting',
      Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.from([0, 0, 0, 12, 4]), randomBytes(500)]),
    ],
    ['nothing', Buffer.alloc(0)],
  ])('as %s do no harm', async (_name, bytes) => {
    const socket = await dial();
    socket.resume();
    socket.write(bytes);
    await sleep(50);
    socket.resetAndDestroy();
    await expectAlive();
  });
});

describe('one connection', () => {
  const login = () =>
    new Promise<Client>((resolve, reject) => {
      const client = new Client();
      client
        .once('ready', () => resolve(client))
        .on('error', reject)
        .connect({
          host: '127.0.0.1',
          port: harness.port,
          username: 'wherry',
          privateKey: readFileSync(join(harness.data, '../key')),
        });
    });
  const exec = (client: Client, line: string) =>
    new Promise<ClientChannel>((resolve, reject) => {
      client.exec(line, (error, channel) => (error ? reject(error) : resolve(channel)));
    });

  it('has ten channels at once, and room again when they end', async () => {
    const go = latch();
    harness.dispatch = async () => {
      await go.opened;
      return 0;
    };
    const client = await login();
    const channels = await Promise.all(Array.from({ length: 10 }, () => exec(client, 'x')));
    await expect(exec(client, 'x')).rejects.toThrow();
    const closed = Promise.all(
      channels.map(channel => new Promise(resolve => channel.resume().once('close', resolve))),
    );
    go.open();
    await closed;
    const again = await exec(client, 'x');
    await new Promise(resolve => again.resume().once('close', resolve));
    client.end();
  });

  it('without channels is closed after the idle time, and not while a command runs', async () => {
    harness.dispatch = async () => {
      await sleep(1500);
      return 0;
    };
    const client = await login();
    const closed = new Promise<void>(resolve => client.once('close', () => resolve()));
    const channel = await exec(client, 'x');
    const status = await new Promise(resolve => channel.resume().once('close', resolve));
    expect(status).toBe(0);
    await closed;
  });

  it('that reads slowly gets both streams whole', async () => {
    const [out, err] = [randomBytes(6 * 2 ** 20), randomBytes(6 * 2 ** 20)];
    harness.dispatch = async ({ stdout, stderr }) => {
      const write = async (stream: NodeJS.WritableStream, data: Buffer) => {
        for (let at = 0; at < data.length; at += 100_000) {
          const part = data.subarray(at, at + 100_000);
          await new Promise<void>(resolve => stream.write(part, () => resolve()));
        }
      };
      await Promise.all([write(stdout, out), write(stderr, err)]);
      return 5;
    };
    const client = await login();
    const channel = await exec(client, 'x');
    await sleep(300);
    const read = async (stream: Readable) => {
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part);
      return Buffer.concat(parts);
    };
    const status = new Promise(resolve => channel.once('exit', resolve));
    const [gotOut, gotErr] = await Promise.all([read(channel), read(channel.stderr as Readable)]);
    expect(gotOut.equals(out)).toBe(true);
    expect(gotErr.equals(err)).toBe(true);
    expect(await status).toBe(5);
    client.end();
  });

  it('that breaks while a command writes much does no harm', async () => {
    let written = 0;
    harness.dispatch = async ({ stdout, signal }) => {
      while (!signal.aborted) {
        await new Promise<void>(resolve => stdout.write(Buffer.alloc(200_000), () => resolve()));
        written += 1;
      }
      return 0;
    };
    const client = await login();
    await exec(client, 'x');
    await until('output to wait', () => written > 5);
    client.destroy();
    harness.dispatch = async () => 0;
    await expectAlive();
  });
});
