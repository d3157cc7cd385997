import { request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';
import type { RoutePolicy } from '../../src/domain/route.ts';
import { Certificates } from '../../src/edge/certificates.ts';
import { createAuthority } from '../support/certificates.ts';
import { cleanUp, demo, demoWith, openClient, startApp, startTestEdge } from './harness.ts';

const authority = createAuthority();
const pems = new Map(
  [['demo.test'], ['*.wild.test'], ['new.test', 'demo.test'], ['shared.test']].map(names => [
    names.join(),
    authority.issue(names).pem,
  ]),
);
const refs = [
  { id: 'shared.test', names: ['shared.test'], fallback: true as const },
  { id: 'demo.test', names: ['demo.test'] },
  { id: '*.wild.test', names: ['*.wild.test'] },
];

async function start(policy: RoutePolicy = {}) {
  const reads: string[] = [];
  const certificates = new Certificates(async id => {
    reads.push(id);
    const pem = pems.get(id);
    if (pem === undefined) throw new Error('no such file');
    return pem;
  });
  const edge = await startTestEdge(undefined, { certificates });
  const app = await startApp((req, res) => res.end(JSON.stringify(req.headers)));
  const routes = demoWith(policy, app.port).map(route => ({
    ...route,
    domains: ['demo.test', '*.wild.test', 'plain.test'],
  }));
  edge.apply(routes, { certificates: refs });
  const { port } = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  return { edge, port, reads, routes, app };
}

function get(port: number, host: string, path = '/') {
  return new Promise<{ status: number; text: string; headers: Record<string, unknown>; names: string }>(
    (resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port,
          servername: host,
          headers: { host },
          ca: authority.root,
          agent: false,
          path,
        },
        incoming => {
          let text = '';
          const names = (incoming.socket as TLSSocket).getPeerCertificate().subjectaltname ?? '';
          incoming.on('data', piece => (text += piece));
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, text, headers: incoming.headers, names }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end();
    },
  );
}

/** What a handshake comes to. */
function shake(port: number, options: object): Promise<TLSSocket | Error> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
    cleanUp(() => void socket.destroy());
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', resolve);
  });
}

describe('HTTPS', () => {
  it('shows each host its certificate, and tells the app of the scheme and the port', async () => {
    const { port } = await start();
    const answer = await get(port, 'demo.test');
    expect(answer.names).toBe('DNS:demo.test');
    expect(JSON.parse(answer.text)).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-port': String(port),
      'x-forwarded-for': '127.0.0.1',
    });
    expect((await get(port, 'a.wild.test')).names).toBe('DNS:*.wild.test');
  });

  it('shows the shared certificate to who asks for no name or another (A6.18b)', async () => {
    const { port } = await start();
    await expect.poll(async () => (await shake(port, {})) instanceof Error).toBe(false);
    for (const options of [{}, { servername: 'nobody.test' }]) {
      const socket = await shake(port, options);
      if (socket instanceof Error) throw socket;
      expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:shared.test');
    }
  });

  it('ends the handshake where there is none at all', async () => {
    const { edge, port, routes } = await start();
    edge.apply(routes, { certificates: [] });
    expect(await shake(port, { servername: 'demo.test' })).toBeInstanceOf(Error);
    expect(edge.counters.refused.get('tls-handshake')).toBe(1);
  });

  it('swaps certificates while connections go on (A6.18b)', async () => {
    const { edge, port, routes } = await start();
    const open = await shake(port, { servername: 'demo.test' });
    if (open instanceof Error) throw open;
    edge.apply(routes, { certificates: [{ id: 'new.test,demo.test', names: ['demo.test', 'new.test'] }] });
    expect((await get(port, 'demo.test')).names).toBe('DNS:new.test, DNS:demo.test');
    open.write('GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n');
    const text = await new Promise(resolve => open.once('data', piece => resolve(String(piece))));
    expect(text).toContain('200 OK');
  });

  it('reads a certificate once, however many come', async () => {
    const { port, reads } = await start();
    await Promise.all(Array.from({ length: 5 }, () => get(port, 'demo.test')));
    expect(reads.filter(id => id === 'demo.test')).toHaveLength(1);
  });

  it.each([
    ['TLS 1.0', { maxVersion: 'TLSv1', minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }],
    ['TLS 1.1', { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ])('refuses %s (A6.18b)', async (_what, options) => {
    const { port } = await start();
    expect(await shake(port, { servername: 'demo.test', ...options })).toBeInstanceOf(Error);
  });

  it.each(['TLSv1.2', 'TLSv1.3'])('speaks %s, and knows a session again', async version => {
    const { port } = await start();
    const options = { servername: 'demo.test', minVersion: version, maxVersion: version };
    const first = await shake(port, options);
    if (first instanceof Error) throw first;
    first.write('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await new Promise(resolve => first.once('data', resolve));
    const session = first.getSession();
    const second = await shake(port, { ...options, session });
    if (second instanceof Error) throw second;
    expect(second.isSessionReused()).toBe(true);
  });

  it('does not fall over what is no TLS at all', async () => {
    const { edge, port } = await start();
    const client = await openClient(port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await client.closed();
    await expect.poll(() => edge.counters.refused.get('tls-handshake')).toBe(1);
    expect((await get(port, 'demo.test')).status).toBe(200);
  });

  it('carries WebSockets', async () => {
    const { edge, port } = await start();
    const app = await startApp(() => {});
    const echo = new WebSocketServer({ server: app.server });
    echo.on('connection', socket => socket.on('message', data => socket.send(String(data))));
    edge.apply(demo(app.port), { certificates: refs });
    const options: ClientOptions = { headers: { host: 'demo.test' }, ca: authority.root };
    const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
      ...options,
      ...{ servername: 'demo.test' },
    });
    const echoed = await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send('hi'));
      socket.once('message', data => resolve(String(data)));
    });
    expect(echoed).toBe('hi');
    socket.terminate();
    echo.close();
  });

  it('sends HSTS where it is set, over HTTPS alone (A6.19a)', async () => {
    const { port, edge } = await start({ hsts: 'max-age=60', plainHttp: true });
    expect((await get(port, 'demo.test')).headers['strict-transport-security']).toBe('max-age=60');
    const client = await openClient(edge.port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    expect(await client.until('200 OK')).not.toMatch(/strict-transport/i);
  });
});

describe('plain HTTP', () => {
  const ask = async (port: number, text: string) => {
    const client = await openClient(port);
    client.send(text);
    return await client.until(/\r\n\r\n/);
  };

  it.each([
    ['GET', 301],
    ['HEAD', 301],
    ['POST', 308],
  ])('%s is sent to HTTPS with %d where the host has a certificate (A6.19a)', async (method, status) => {
    const { edge, port } = await start();
    const answer = await ask(
      edge.port,
      `${method} /a//b?c=%20 HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain(`Location: https://demo.test:${port}/a//b?c=%20\r\n`);
  });

  it('has an address to go to also when it asks for none (OPTIONS *)', async () => {
    const { edge, port } = await start();
    const answer = await ask(edge.port, 'OPTIONS * HTTP/1.1\r\nHost: DEMO.test.:80\r\n\r\n');
    expect(answer).toContain(`Location: https://demo.test:${port}/\r\n`);
  });

  it('is answered where the host has none, or the app wants it', async () => {
    const { edge, routes } = await start();
    expect(await ask(edge.port, 'GET / HTTP/1.1\r\nHost: plain.test\r\n\r\n')).toContain('200 OK');
    edge.apply(
      routes.map(route => ({ ...route, policy: { plainHttp: true } })),
      { certificates: refs },
    );
    expect(await ask(edge.port, 'GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n')).toContain('200 OK');
  });

  it('answers challenges of certificate authorities, redirect or not, for any host (A6.19a)', async () => {
    const { edge, routes } = await start();
    edge.apply(routes, { certificates: refs, challenges: { token1: 'token1.thumbprint' } });
    for (const host of ['demo.test', 'other.test']) {
      const client = await openClient(edge.port);
      client.send(`GET /.well-known/acme-challenge/token1 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(await client.until('token1.thumbprint')).toContain('200 OK');
    }
    const unknown = await ask(
      edge.port,
      'GET /.well-known/acme-challenge/__proto__ HTTP/1.1\r\nHost: plain.test\r\n\r\n',
    );
    expect(unknown).toContain('200 OK');
  });
});
