import { once } from 'node:events';
import { request } from 'node:https';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Certificates } from '../../src/edge/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import { cleanUp, demo, eventually, get, openClient, pause, startApp, startTestEdge } from './harness.ts';

describe('a server that takes no more', () => {
  it('cuts requests when their time is over, and leaves tunnels theirs, under TLS too', async () => {
    const { edge, port, securePort } = await start();
    const tunnels = [await open(`ws://127.0.0.1:${port}/`), await open(`wss://127.0.0.1:${securePort}/`)];
    const stuck = await openClient(port);
    stuck.send(get('/stuck'));
    const stuckSecurely = request({
      ...{ host: '127.0.0.1', port: securePort, path: '/stuck', rejectUnauthorized: false },
      headers: { host: 'demo.test' },
    }).end();
    const cut = once(stuckSecurely, 'error');
    await eventually(() => edge.counters.of('demo').usage.inFlight === 4);
    const stopped = edge.server.stop(0, { tunnels: 60_000 });
    await Promise.all([stuck.closed(), cut]);
    for (const tunnel of tunnels) {
      tunnel.send('still here');
      expect(String((await once(tunnel, 'message'))[0])).toBe('still here');
      tunnel.close();
    }
    await stopped;
  });

  it('lets idle connections ask once more while they have time, and says that it was the last', async () => {
    const { edge, port } = await start();
    const client = await openClient(port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await client.until('here');
    const stopped = edge.server.stop(60_000, { idle: 60_000 });
    await pause(250);
    client.send('GET /again HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    const [first = '', second = ''] = (await client.closed()).split('here');
    expect(first).not.toMatch(/connection: close/i);
    expect(second).toMatch(/HTTP\/1\.1 200 OK[\s\S]*connection: close/i);
    await stopped;
  });

  it('takes the last word on when it is over', async () => {
    const { edge, port } = await start();
    const client = await openClient(port);
    const stopped = edge.server.stop(60_000, { idle: 60_000 });
    await pause(150);
    expect(edge.server.stop(60_000)).toBe(stopped);
    await client.closed();
    await stopped;
  });
});

/** Whose app answers `here`, never answers at /stuck, and sends back what it gets over a WebSocket. */
async function start() {
  const app = await startApp((req, res) => {
    if (req.url !== '/stuck') res.end('here');
  });
  const echo = new WebSocketServer({ server: app.server });
  cleanUp(() => echo.close());
  echo.on('connection', socket => socket.on('message', data => socket.send(String(data))));
  const { pem } = createAuthority().issue(['demo.test']);
  const certificates = new Certificates(async () => pem);
  const edge = await startTestEdge(undefined, { certificates });
  edge.apply(
    demo(app.port).map(route => ({ ...route, policy: { plainHttp: true } })),
    { certificates: [{ id: 'demo', names: ['demo.test'], fallback: true }] },
  );
  const secure = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  return { edge, port: edge.port, securePort: secure.port };
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, {
    rejectUnauthorized: false,
    headers: { host: 'demo.test' },
  });
  cleanUp(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}
