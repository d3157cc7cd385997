import { Resolver } from 'node:dns/promises';
import { readFileSync, statfsSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { networkInterfaces, release } from 'node:os';
import { dirname } from 'node:path';
import { exec } from '../system/exec.ts';
import type { Disk, Host } from './host.ts';

/** Milliseconds. */
const patience = 3_000;
/** An SSH server speaks first, at once. */
const greetingTime = 500;
/** Tells its time over plain HTTP, so that a clock that is far off does not spoil the certificate. */
const clockElsewhere = 'http://acme-v02.api.letsencrypt.org/';

export const thisHost: Host = {
  kernel: release(),
  node: process.versions.node,
  uid: process.getuid?.() ?? -1,
  read: path => orNothing(() => readFileSync(path, 'utf8')),
  rights: path =>
    orNothing(() => {
      const { uid, mode } = statSync(path);
      return { uid, mode: mode & 0o777 };
    }),
  disk,
  async version(program, flag) {
    try {
      const { stdout, stderr } = await exec(program, [flag], { timeout: patience });
      return stdout || stderr;
    } catch {
      return undefined;
    }
  },
  addresses: () =>
    Object.values(networkInterfaces()).flatMap(each => (each ?? []).map(({ address }) => address)),
  resolve,
  greeting: ({ host, port }) =>
    new Promise(resolved => {
      const socket = connect({ host, port, timeout: patience });
      const end = (greeting: string | undefined) => {
        socket.destroy();
        resolved(greeting);
      };
      socket.once('connect', () => socket.setTimeout(greetingTime, () => end('')));
      socket.once('timeout', () => end(socket.connecting ? undefined : ''));
      socket.once('data', bytes => end(bytes.toString('latin1', 0, 100)));
      socket.once('error', () => end(undefined));
      socket.once('close', () => end(''));
    }),
  refusal: ({ host, port }) =>
    new Promise(resolved => {
      const server = createServer();
      server.once('error', (error: NodeJS.ErrnoException) => resolved(error.code ?? error.message));
      server.listen({ host, port, exclusive: true }, () => server.close(() => resolved(undefined)));
    }),
  clockAhead: () =>
    new Promise(resolved => {
      const asked = request(clockElsewhere, { method: 'HEAD', timeout: patience, agent: false });
      asked.once('response', response => {
        const then = Date.parse(response.headers.date ?? '');
        response.resume();
        asked.destroy();
        resolved(Number.isNaN(then) ? undefined : Date.now() - then);
      });
      asked.once('timeout', () => asked.destroy());
      asked.on('error', () => resolved(undefined)).once('close', () => resolved(undefined));
      asked.end();
    }),
};

/** Of the nearest folder that exists. */
function disk(path: string): Disk | undefined {
  const found = orNothing(() => statfsSync(path));
  if (!found) return path === dirname(path) ? undefined : disk(dirname(path));
  const { bsize, blocks, bavail, files, ffree } = found;
  return { bytes: bsize * blocks, bytesFree: bsize * bavail, inodes: files, inodesFree: ffree };
}

async function resolve(name: string): Promise<readonly string[] | undefined> {
  const resolver = new Resolver({ timeout: patience, tries: 1 });
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const addresses = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []));
  const silent = answers.every(
    answer => answer.status === 'rejected' && !['ENOTFOUND', 'ENODATA'].includes(codeOf(answer.reason)),
  );
  return silent ? undefined : addresses;
}

function codeOf(reason: unknown): string {
  return String((reason as { code?: unknown } | null)?.code);
}

function orNothing<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
