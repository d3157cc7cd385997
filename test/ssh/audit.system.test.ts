import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../receive/harness.ts';
import { run } from '../support/run.ts';
import { until } from '../support/until.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness({ failures: { most: 40, pause: 60_000 }, trust: 0 });
});
afterAll(() => harness.end());

/** The mark of a strict key exchange, CVE-2023-48795; versions of ssh-audit from before warn of an algorithm that they do not know. */
const strict = /^\(kex\) kex-strict-s-v00@openssh\.com /;

it('shows no weakness to ssh-audit', async () => {
  const { stdout } = await run('ssh-audit', ['-b', '-n', '-p', String(harness.port), '127.0.0.1'], {
    timeout: 60_000,
  });
  const lines = stdout.split('\n');
  expect(lines.filter(line => /^\(kex\) curve25519-sha256 /.test(line))).toHaveLength(1);
  expect(lines.filter(line => /\[(?:fail|warn)\]/.test(line) && !strict.test(line))).toEqual([]);
  expect(lines.filter(line => /^\(rec\) [-!]/.test(line))).toEqual([]);
  expect(lines.filter(line => strict.test(line))).toHaveLength(1);
});

describe('who is logged in', () => {
  const login = () =>
    new Promise<Client>((resolve, reject) => {
      const client = new Client();
      client
        .once('ready', () => resolve(client))
        .on('error', reject)
        .connect({
          ...{ host: '127.0.0.1', port: harness.port, username: 'wherry' },
          ...{ privateKey: readFileSync(join(harness.data, '../key')), agent: '/nonexistent' },
        });
    });
  type Done = (error: Error | null | undefined) => void;

  it.each<[string, (client: Client, done: Done) => void]>([
    ['X11', (client, done) => client.exec('x', { x11: true }, done)],
    ['an agent', (client, done) => client.exec('x', { agentForward: true } as never, done)],
    ['a port here', (client, done) => client.forwardIn('127.0.0.1', 0, done)],
    ['a port there', (client, done) => client.forwardOut('127.0.0.1', 1, '127.0.0.1', 22, done)],
    ['a socket here', (client, done) => client.openssh_forwardInStreamLocal('/tmp/wherry-none', done)],
    ['a socket there', (client, done) => client.openssh_forwardOutStreamLocal('/run/x.sock', done)],
    ['SFTP', (client, done) => client.sftp(done)],
    ['another subsystem', (client, done) => client.subsys('netconf', done)],
  ])('gets no %s', async (_name, ask) => {
    const client = await login();
    const error = await new Promise<Error | null | undefined>(resolve => ask(client, resolve));
    expect(error).toBeInstanceOf(Error);
    client.end();
  });
});

it('turns who makes many connections without a login away before any key exchange', async () => {
  const greeted = () =>
    new Promise<boolean>(resolve => {
      const socket = connect(harness.port, '127.0.0.1');
      let heard = false;
      socket.on('error', () => {});
      socket.on('data', () => {
        heard = true;
        socket.destroy();
      });
      socket.on('close', () => resolve(heard));
      socket.write('SSH-2.0-flood\r\n');
    });
  expect(await greeted()).toBe(true);
  await until('the address to be turned away', async () => !(await greeted()));
  expect(await greeted()).toBe(false);
});
