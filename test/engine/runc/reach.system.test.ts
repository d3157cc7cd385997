import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../../src/engine/engine.ts';
import { exec } from '../../../src/system/exec.ts';
import { busyboxLayer } from '../busybox-layer.ts';
import { createEngineHost, type EngineHost, mib } from './host.ts';

// Who is behind an address: each says hello to whoever gets through.
let host: EngineHost;
let engine: Engine;
let server: Server;
let targets: Readonly<Record<string, string>>;

const limits = { memory: 64 * mib, pids: 200 };
const say = 'exec nc -ll -p 8080 -e echo hello';

beforeAll(async () => {
  host = await createEngineHost('reach');
  engine = host.create();
  await engine.open();
  server = createServer(socket => socket.end('hello\n'));
  await new Promise<void>(resolve => server.listen(0, '::', resolve));
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const other = await engine.create({ ...host.spec(say), id: 'other.web.1', group: 'other' });
  await engine.start(other.id);
  targets = {
    'another app': `${other.address} 8080`,
    'a cloud’s metadata': '169.254.169.254 80',
    'a cloud’s metadata by IPv6': 'fd00:ec2::254 80',
    'the host by the name of itself': `127.0.0.1 ${port}`,
    'the host by the name of itself in IPv6': `::1 ${port}`,
    ...Object.fromEntries(addresses().map(address => [`the host at ${address}`, `${address} ${port}`])),
  };
});

afterAll(async () => {
  server.close();
  await engine.purge();
  await host.cleanUp();
});

/** Of the host, by both protocols; not of bridges of others, which may go at any moment. */
function addresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    name.startsWith('wherry') && name !== `wherry${host.tag}`
      ? []
      : (list ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );
}

/** A line of each target that answered. */
const script = () =>
  Object.entries(targets)
    .map(
      ([name, target]) =>
        `(nc -w 2 ${target} </dev/null 2>/dev/null | grep -q hello && echo "reached ${name}") &`,
    )
    .join('\n')
    .concat(
      '\nnc -w 2 127.0.0.1 8081 </dev/null; wait; cat /proc/net/if_inet6; ls /run /var/run 2>/dev/null; echo end',
    );
/** What shows that the question itself works. */
const own = 'nc -l -p 8081 -e echo hello & sleep 0.5\n';

describe('nobody is reached', () => {
  test('by an app: no other app, not the host, no metadata, by IPv4 or IPv6', async () => {
    const { id, logFile } = await engine.create(host.spec(own + script(), { limits }));
    await engine.start(id);
    expect(await engine.wait(id, AbortSignal.timeout(60_000))).toMatchObject({ code: 0 });
    const lines = (await readFile(logFile, 'utf8'))
      .replace(/^\S+ \S+ F /gm, '')
      .trim()
      .split('\n');
    expect(lines).toEqual(['hello', 'end']);
    await engine.remove(id);
  });

  test('by a build: the same', async () => {
    const box = await engine.openSandbox({
      id: 'build-reach',
      layers: [busyboxLayer],
      mounts: [],
      limits,
      network: 'host-uplink',
      hostname: 'build',
    });
    let text = '';
    const code = await box.run({
      argv: ['sh', '-c', own + script()],
      env: { PATH: '/bin' },
      cwd: '/',
      user: { uid: 1000, gid: 1000 },
      timeout: 30_000,
      onOutput: chunk => {
        text += chunk.toString('utf8');
      },
    });
    await box.close();
    expect(code).toBe(0);
    expect(text.trim().split('\n')).toEqual(['hello', 'end']);
  });

  test('but by the host, which is asked the same way', async () => {
    expect(Object.keys(targets).length).toBeGreaterThan(5);
    const other = targets['another app'] ?? '';
    const asked = await exec('/bin/busybox', ['nc', '-w', '2', ...other.split(' ')], { timeout: 10_000 });
    expect(asked.stdout).toBe('hello\n');
  });
});
