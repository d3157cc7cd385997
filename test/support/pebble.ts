import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';
import { freePorts } from './ports.ts';
import { until } from './until.ts';

export type Pebble = Awaited<ReturnType<typeof startPebble>>;

/**
 * Debian's ACME test server on free loopback ports, with a DNS server that gives 127.0.0.1 for every name. It looks at hosts at the
 * ports told, and refuses half of all good nonces.
 */
export async function startPebble(look: { http: number; https: number }, env: Record<string, string> = {}) {
  const authority = createAuthority();
  const dir = mkdtempSync(join(tmpdir(), 'wherry-pebble-'));
  const { chain, key } = authority.issue(['localhost']);
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const caFile = write('ca.pem', authority.root);
  const [acme = 0, management = 0, dns = 0, dnsManagement = 0] = await freePorts(4);
  const config = write(
    'config.json',
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${acme}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: write('cert.pem', chain),
        privateKey: write('key.pem', key),
        httpPort: look.http,
        tlsPort: look.https,
      },
    }),
  );
  const children: ChildProcess[] = [];
  const start = (file: string, args: string[]) => {
    const child = spawn(file, args, {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '50', ...env },
    });
    children.push(child);
  };
  const ask = (port: number, path: string) =>
    new Promise<string>((resolve, reject) => {
      const outgoing = request(
        { host: 'localhost', port, path, ca: authority.root, agent: false },
        incoming => {
          let text = '';
          incoming.on('data', piece => (text += piece));
          incoming.on('end', () => resolve(text));
        },
      );
      outgoing.on('error', reject).end();
    });

  const none = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  start('pebble-challtestsrv', [
    ...['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${dnsManagement}`, '-defaultIPv6', ''],
    ...none,
  ]);
  start('pebble', ['-config', config, '-strict', '-dnsserver', `127.0.0.1:${dns}`]);
  await until('pebble to answer', async () => (await ask(acme, '/dir')).includes('newOrder'));

  return {
    directory: `https://localhost:${acme}/dir`,
    caFile,
    /** PEM of the authority that it issues from. */
    root: () => ask(management, '/roots/0'),
    /** `Valid` or `Revoked`. */
    async statusOf(serial: string): Promise<string> {
      const found = await ask(management, `/cert-status-by-serial/${serial.toLowerCase()}`);
      return (JSON.parse(found) as { Status: string }).Status;
    },
    /** Where its DNS server is told things. */
    dns: `http://127.0.0.1:${dnsManagement}`,
    /** From now on its DNS server gives these addresses for the host. */
    async resolve(host: string, addresses: readonly string[]): Promise<void> {
      const body = JSON.stringify({ host, addresses });
      await fetch(`http://127.0.0.1:${dnsManagement}/add-a`, { method: 'POST', body });
    },
    async stop(): Promise<void> {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(
        children.map(
          child => child.exitCode ?? child.signalCode ?? new Promise(done => child.once('exit', done)),
        ),
      );
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
