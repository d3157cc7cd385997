import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { AccessLine } from '../../src/domain/access-line.ts';
import type { Route, Target } from '../../src/domain/route.ts';
import type { AccessLog } from '../../src/edge/access-log.ts';
import type { EdgeServerOptions } from '../../src/edge/server.ts';
import {
  cleanUp,
  closedPort,
  eventually,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
  targetAt,
} from './harness.ts';

/** The app `demo`, whose instances are spoken to at `container`, whatever the port of their HTTP. */
async function start(container: number, first: Partial<Route> = {}, more: Partial<EdgeServerOptions> = {}) {
  const port = await closedPort();
  const lines: AccessLine[] = [];
  const access = { add: (_app: string, line: AccessLine) => lines.push(line) } as unknown as AccessLog;
  const edge = await startTestEdge(undefined, { access, ...more });
  const apply = (changes: Partial<Route> = {}) =>
    edge.apply([
      {
        ...{ app: 'demo', domains: ['demo.test'], state: 'serving', targets: [target('one')] },
        ports: [{ scheme: 'tcp', port, container }],
        ...changes,
      },
    ]);
  apply(first);
  await eventually(() => edge.server.ports.listeners.has(port));
  return { edge, port, lines, apply };
}

const target = (id: string): Target => ({ ...targetAt(1), id });

const echo = () => startRawApp((socket, text) => void socket.write(`<${text}>`));

describe('a TCP port', () => {
  it('carries bytes both ways, as they are, and has a line in the access log', async () => {
    const app = await echo();
    const { edge, port, lines } = await start(app.port);
    const client = await openClient(port);
    client.send('\x00\xff\r\n');
    await client.until('<\x00\xff\r\n>');
    expect(edge.counters.of('demo')).toMatchObject({ streams: 1, streamsBegun: 1 });
    expect(edge.counters.of('demo').usage.inFlight).toBe(1);
    client.socket.destroy();
    await eventually(() => lines.length === 1);
    expect(lines[0]).toMatchObject({
      ...{ client: '127.0.0.1', method: 'TCP', path: `:${port}`, protocol: 'TCP', status: 200 },
      ...{ bytesIn: 4, bytesOut: 6, instance: 'one' },
    });
    expect(edge.counters.of('demo')).toMatchObject({ streams: 0, streamsBegun: 1 });
    expect(edge.counters.of('demo').usage.inFlight).toBe(0);
  });

  it('lets an app speak first, and a client that has ended hear the rest', async () => {
    const app = await startRawApp(() => {}, true);
    const { port } = await start(app.port);
    const client = await openClient(port);
    await eventually(() => app.sockets.length === 1);
    app.sockets[0]?.write('220 hello\r\n');
    await client.until('220 hello');
    const ended = once(app.sockets[0] as Socket, 'end');
    client.socket.end('question');
    await ended;
    expect(app.received).toEqual(['question']);
    await pause(50);
    app.sockets[0]?.end('answer');
    expect(await client.closed()).toContain('answer');
  });

  it('holds connections while the app sleeps, wakes it once, and loses nothing', async () => {
    const app = await startRawApp((socket, text) => void (text.endsWith('end') && socket.end(text)), true);
    const { edge, port, apply } = await start(app.port, { state: 'asleep', targets: [] });
    const clients = await Promise.all([1, 2, 3].map(() => openClient(port)));
    for (const [at, client] of clients.entries()) client.socket.end(`${at} end`);
    await eventually(() => edge.counters.of('demo').usage.waiting === 3);
    expect(edge.woken).toEqual([
      { app: 'demo', method: 'TCP', host: `port ${port}`, path: '', agent: '', peer: '127.0.0.1' },
    ]);
    apply();
    expect(await Promise.all(clients.map(client => client.closed()))).toEqual(['0 end', '1 end', '2 end']);
    expect(edge.counters.of('demo').usage.waiting).toBe(0);
  });

  it('gives up on an app that does not wake in time, and on a client that left', async () => {
    const hold = { timeout: 100, queue: 1, waitingPage: false, ignorePaths: [], ignoreAgents: [] };
    const { edge, port, lines, apply } = await start(1, { state: 'asleep', targets: [], hold });
    const client = await openClient(port);
    await eventually(() => edge.counters.of('demo').usage.waiting === 1);
    const second = await openClient(port);
    await second.closed();
    expect(lines[0]).toMatchObject({ status: 503, reason: 'wake-queue-full' });
    await client.closed();
    await eventually(() => lines.length === 2);
    expect(lines[1]).toMatchObject({ status: 503, reason: 'wake-timeout' });

    apply({ state: 'asleep', targets: [] });
    const leaving = await openClient(port);
    await eventually(() => edge.counters.of('demo').usage.waiting === 1);
    leaving.socket.resetAndDestroy();
    await eventually(() => lines.length === 3);
    expect(lines[2]).toMatchObject({ status: 499, bytesOut: 0 });
    expect(edge.counters.of('demo').usage).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('tries again while the instance does not listen yet', async () => {
    const port = await closedPort();
    const { edge, port: outer } = await start(port);
    const client = await openClient(outer);
    client.send('hello');
    await eventually(() => edge.counters.of('demo').retries > 1);
    const app = await startRawApp((socket, text) => void socket.end(text), false, port);
    expect(await client.closed()).toBe('hello');
    expect(app.received).toEqual(['hello']);
  });

  it('closes connections of an app that takes none', async () => {
    const { edge, port, lines } = await start(await closedPort());
    await (await openClient(port)).closed();
    await eventually(() => lines.length === 1);
    expect(lines[0]).toMatchObject({ status: 502, reason: 'app-refused' });
    expect(edge.logged.at(-1)).toMatchObject({ message: 'app takes no connection' });
  });

  it.each<[string, Partial<Route>, string]>([
    ['is stopped', { state: 'stopped', targets: [] }, 'app-stopped'],
    ['is in maintenance', { maintenance: true }, 'maintenance'],
    ['shuts the address out', { policy: { deny: ['127.0.0.0/8'] } }, 'address-refused'],
    ['lets only others in', { policy: { allow: ['192.0.2.1'] } }, 'address-refused'],
  ])('reaches no app that %s', async (_what, route, reason) => {
    const app = await echo();
    const { port, lines } = await start(app.port, route);
    await (await openClient(port)).closed();
    await eventually(() => lines.length === 1);
    expect(lines[0]?.reason).toBe(reason);
    expect(app.sockets).toEqual([]);
  });

  it('leaves a deployed-over instance its connections until they end, and gives new ones to the next', async () => {
    const app = await echo();
    const { edge, port, apply } = await start(app.port);
    const old = await openClient(port);
    old.send('a');
    await old.until('<a>');
    apply({ targets: [target('two')] });
    expect(edge.drained).toEqual([]);
    old.send('b');
    await old.until('<b>');
    const next = await openClient(port);
    next.send('c');
    await next.until('<c>');
    old.socket.end();
    await eventually(() => edge.drained.includes('one'));
    next.send('d');
    await next.until('<d>');
  });

  it('passes on that a connection was broken off, from either side', async () => {
    const app = await echo();
    const { port } = await start(app.port);
    const failure = async (breaks: (client: Socket, app: Socket) => Socket) => {
      const client = connect({ port, host: '127.0.0.1' });
      cleanUp(() => void client.destroy());
      const count = app.sockets.length;
      await eventually(() => app.sockets.length > count);
      const inner = app.sockets.at(-1) as Socket;
      const other = breaks(client, inner);
      const [error] = await once(other, 'error');
      return (error as NodeJS.ErrnoException).code;
    };
    const byApp = (client: Socket, inner: Socket) => {
      inner.resetAndDestroy();
      return client;
    };
    const byClient = (client: Socket, inner: Socket) => {
      client.resetAndDestroy();
      return inner;
    };
    expect(await failure(byApp)).toBe('ECONNRESET');
    expect(await failure(byClient)).toBe('ECONNRESET');
  });

  it('makes whoever sends wait for whoever does not read', async () => {
    const app = await startRawApp(() => {});
    const { port } = await start(app.port);
    const client = await openClient(port);
    await eventually(() => app.sockets.length === 1);
    app.sockets[0]?.pause();
    const piece = Buffer.alloc(1 << 20, 'x');
    let sent = 0;
    while (sent < 200 && client.socket.write(piece)) sent++;
    await pause(300);
    // What the kernel and the edge hold is far less than all that would go.
    for (; sent < 64; sent++) client.socket.write(piece);
    await pause(300);
    expect(client.socket.writableLength).toBeGreaterThan(16 << 20);
    app.sockets[0]?.resume();
    await eventually(() => client.socket.writableLength === 0);
  });

  it('is bounded by the number of connections, as HTTP is', async () => {
    const app = await echo();
    const { edge, port } = await start(app.port, {}, {});
    edge.server.follow({
      limits: { total: 1, perAddress: 1 },
      proxies: { trusted: undefined, proxyProtocol: false },
    });
    const first = await openClient(port);
    first.send('a');
    await first.until('<a>');
    await (await openClient(port)).closed();
    expect(edge.counters.refused.get('too-many-connections')).toBe(1);
    first.send('b');
    await first.until('<b>');
  });

  it('keeps what is open when the port is taken from the app, and takes no more', async () => {
    const app = await echo();
    const { edge, port, apply } = await start(app.port);
    const client = await openClient(port);
    client.send('a');
    await client.until('<a>');
    apply({ ports: [] });
    await eventually(() => edge.server.ports.listeners.size === 0);
    client.send('b');
    await client.until('<b>');
  });
});
