import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import {
  cleanUp,
  demo,
  eventually,
  exchange,
  ok,
  openClient,
  pause,
  startApp,
  startRawApp,
  startTestEdge,
} from './harness.ts';

const ask =
  'GET /chat HTTP/1.1\r\nHost: demo.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

describe('websockets', () => {
  it('carry messages both ways, close codes too, and count as in flight (A6.11a)', async () => {
    const app = await startEcho();
    const edge = await startTestEdge(demo(app));
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/x`, { headers: { host: 'demo.test' } });
    cleanUp(() => socket.terminate());
    const got: string[] = [];
    socket.on('message', data => got.push(String(data)));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const big = 'z'.repeat(3 * 2 ** 20);
    socket.send('hello');
    socket.send(big);
    await eventually(() => got.length === 2);
    expect(got).toEqual(['hello', big]);
    expect(edge.targets.pools.get(`demo-${app}`)?.inFlight).toBe(1);
    const closed = new Promise(resolve => socket.once('close', resolve));
    socket.close(4001, 'bye');
    expect(await closed).toBe(4001);
    await eventually(() => edge.targets.pools.get(`demo-${app}`)?.inFlight === 0);
  });

  it('pass on what either side sent with the handshake', async () => {
    const app = await startRawApp((socket, text) => {
      if (text.startsWith('GET'))
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: 1\r\n\r\nfirst',
        );
      if (text.includes('early')) socket.write('second');
    });
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(`${ask}early`);
    const text = await client.until('second');
    expect(text).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nX-A: 1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst/,
    );
    expect(app.received[0]).toContain('Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });

  it('keep the other direction open after one side ended (A6.11d)', async () => {
    const app = await startRawApp(socket => {
      if (socket.listenerCount('end') < 2) socket.on('end', () => socket.end('last words'));
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    }, true);
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(ask);
    await client.until('101');
    client.socket.end();
    expect(await client.closed()).toMatch(/last words$/);
  });

  it('are refused with the app’s own answer, framed correctly (A6.11b)', async () => {
    const app = await startApp((_req, res) => res.end());
    app.server.on('upgrade', (_req, socket) =>
      socket.end('HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndenied\r\n0\r\n\r\n'),
    );
    const { port } = await startTestEdge(demo(app.port));
    expect(await exchange(port, ask)).toMatch(
      /^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*Transfer-Encoding: chunked\r\n\r\n6\r\ndenied\r\n0\r\n\r\n$/,
    );
  });

  it('get a page when the app is gone', async () => {
    const { port } = await startTestEdge([
      { app: 'demo', domains: ['demo.test'], state: 'stopped', targets: [] },
    ]);
    expect(await exchange(port, ask)).toMatch(/^HTTP\/1\.1 503 [\s\S]*X-Wherry-Reason: app-stopped/);
  });

  it('whose client resets before the 101 harm nobody', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(ask);
    await eventually(() => app.received.join('').includes('/chat'));
    client.socket.resetAndDestroy();
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(0);
  });

  it('whose app resets in the middle end for the client too', async () => {
    const app = await startRawApp(socket => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    const edge = await startTestEdge(demo(app.port));
    expect(await exchange(edge.port, ask)).toContain('101');
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
  });
});

describe('an upgrade behind a request that is not answered yet', () => {
  it.each(['websocket', 'h2c'])('(%s) closes the connection, counted', async token => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(`GET /first HTTP/1.1\r\nHost: demo.test\r\n\r\n${ask.replace('websocket', token)}`);
    expect(await client.closed()).toBe('');
    expect(edge.counters.refused.get('pipelined-upgrade')).toBe(1);
    expect(app.received.join('')).not.toContain('/chat');
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
  });
});

describe('other upgrades', () => {
  it.each([
    ['a POST', ask.replace('GET', 'POST')],
    ['a token of two words', ask.replace('Upgrade: websocket', 'Upgrade: websocket, h2c')],
    ['another token', ask.replace('Upgrade: websocket', 'Upgrade: websocketx')],
    ['no word of it in Connection', ask.replace('keep-alive, Upgrade', 'keep-alive')],
    ['HTTP/1.0', ask.replace('HTTP/1.1', 'HTTP/1.0')],
    ['a body', ask.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nhi')],
  ])('are ordinary requests: %s (A6.11c)', async (_name, request) => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(request);
    await client.until(/^HTTP\/1\.1 200 OK[\s\S]*ok$/);
    expect(app.received[0]).not.toMatch(/\r\n(?:Upgrade|Connection):/i);
  });

  it('are ignored: an h2c client gets an ordinary answer, its body and connection kept', async () => {
    const app = await startRawApp(
      (socket, text) => text.startsWith('POST') === text.endsWith('abc') && socket.write(ok),
    );
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n';
    client.send(`POST / HTTP/1.1\r\nHost: demo.test\r\n${h2c}Content-Length: 3\r\n\r\nabc`);
    await client.until(/200 OK[\s\S]*ok$/);
    client.send(`GET /two HTTP/1.1\r\nHost: demo.test\r\n${h2c}\r\n`);
    await client.until(/200 OK[\s\S]*200 OK[\s\S]*ok$/);
    client.send(`POST /three HTTP/1.1\r\nHost: demo.test\r\n${h2c}Content-Length: 3\r\n\r\na`);
    await pause(30);
    client.send('bc');
    await client.until(/(?:200 OK[\s\S]*){3}ok$/);
    expect(app.received.join('')).not.toMatch(/upgrade|http2/i);
    expect(app.sockets.length).toBe(1);
  });
});

async function startEcho(): Promise<number> {
  const server = createServer((_req, res) => res.end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', socket => socket.on('message', (data, binary) => socket.send(data, { binary })));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
