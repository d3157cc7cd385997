import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probe, probeSaying } from '../support/apps.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

const echo = `
import { createServer as listen } from 'node:net';
listen({ allowHalfOpen: true }, socket => socket.on('error', () => {}).pipe(socket)).listen(6379);
`;

describe('a TCP port of an app', () => {
  let wherry: Wherry;
  let port: number;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    wherry = await startWherry();
    const files = { 'server.js': `${probeSaying('probe one')['server.js']}${echo}` };
    const pushed = await (await wherry.repository('app', { from: probe, files })).push();
    expect(pushed.code, pushed.output).toBe(0);
    [port = 0] = await freePorts(1);
    const added = await wherry.ssh('ports:add', 'app', `tcp:${port}:6379`, 'http:80:5000');
    expect(added.code, added.stderr).toBe(0);
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
  });
  afterAll(() => wherry?.stop());

  const open = () => {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    let text = '';
    socket.setEncoding('utf8').on('error', () => {});
    socket.on('data', piece => {
      text += piece;
    });
    return { socket, text: () => text };
  };
  /** The edge may still count the connection before. */
  const putToSleep = (depth: 'light' | 'deep') =>
    until('it sleeps', async () => (await wherry.cli('sleep:now', 'app', '--depth', depth)).code === 0);

  it.each(['light', 'deep'] as const)('wakes it, and loses none of what was sent (%s)', async depth => {
    await putToSleep(depth);
    const clients = [open(), open(), open()];
    for (const [at, { socket }] of clients.entries()) socket.end(`said ${at}`);
    await until('all is said again', async () => clients.every(({ text }, at) => text() === `said ${at}`));
    expect((await wherry.cli('events', 'app')).stdout).toContain(`Woken by TCP port ${port} from 127.0.0.1`);
    await until('it is in the log', async () => {
      const { stdout } = await wherry.cli('proxy:logs', 'app');
      return stdout.includes(`"TCP :${port} TCP" 200 6`);
    });
  });

  it('keeps it awake while a connection is open, silent or not, and over a restart of the platform', async () => {
    const { socket, text } = open();
    socket.write('one');
    await until('it is said again', async () => text() === 'one');
    const refused = await wherry.cli('sleep:now', 'app');
    expect([refused.code, refused.stderr]).toEqual([22, expect.stringContaining('in flight')]);
    await wherry.kill();
    await wherry.start();
    socket.write('two');
    await until('it is said again', async () => text() === 'onetwo');
    expect((await wherry.cli('sleep:now', 'app')).code).toBe(22);
    socket.end();
    await putToSleep('light');
  });

  it('is closed when it is taken away', async () => {
    const removed = await wherry.ssh('ports:remove', 'app', `tcp:${port}`);
    expect(removed.code, removed.stderr).toBe(0);
    const { socket } = open();
    await new Promise(resolve => socket.once('close', resolve));
    expect(socket.bytesRead).toBe(0);
    expect((await wherry.get('app')).text).toBe('probe one');
  });
});
