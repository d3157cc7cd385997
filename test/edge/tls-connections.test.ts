import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccessLine } from '../../src/domain/access-line.ts';
import { AccessLog } from '../../src/edge/access-log.ts';
import { Certificates } from '../../src/edge/certificates.ts';
import { type FrontDoor, frontDoor } from '../../src/edge/front-door.ts';
import type { EdgeServerOptions } from '../../src/edge/server.ts';
import { createAuthority } from '../support/certificates.ts';
import { cleanUp, demo, eventually, get, ok, startRawApp, startTestEdge } from './harness.ts';

const { pem } = createAuthority().issue(['demo.test']);

async function start(more: Partial<EdgeServerOptions & FrontDoor> = {}) {
  const app = await startRawApp(socket => socket.write(ok));
  const certificates = new Certificates(async () => pem);
  const edge = await startTestEdge(undefined, { certificates, ...more });
  edge.apply(demo(app.port), { certificates: [{ id: 'demo', names: ['demo.test'] }] });
  const { port } = await edge.server.listenSecurely({ host: '127.0.0.1', port: 0 });
  return { app, edge, port };
}

/** What came until the edge closed. */
async function say(port: number, text: string, options: ConnectionOptions = {}) {
  const socket = await shake(port, options);
  let came = '';
  socket.setEncoding('latin1').on('data', piece => {
    came += piece;
  });
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.write(text);
  await closed;
  return came;
}

function shake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...(options.socket ? {} : { host: '127.0.0.1', port }),
      servername: 'demo.test',
      rejectUnauthorized: false,
      ...options,
    });
    cleanUp(() => void socket.destroy());
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

describe('a connection over TLS', () => {
  it('is refused what one without is, and what follows is no request either', async () => {
    const { app, edge, port } = await start();
    const twoLengths =
      'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n';
    expect(await say(port, twoLengths)).toMatch(/^HTTP\/1\.1 400 [\s\S]*X-Wherry-Reason: bad-request/);
    const unknown = 'POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: \r\n\r\n';
    expect(await say(port, unknown + get('/smuggled'))).toMatch(/^HTTP\/1\.1 501 [\s\S]*<\/html>\s*$/);
    expect(app.received).toEqual([]);
    expect(edge.counters.refused.get('bad-request')).toBe(1);
  });

  it('has its lines in the access log, with the bytes that HTTP has', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'wherry-access-'));
    const access = new AccessLog({ dir });
    cleanUp(async () => {
      await access.close();
      await rm(dir, { recursive: true, force: true });
    });
    const { port } = await start({ access });
    const answer = await say(port, get('/a'));
    let text = '';
    await eventually(async () => {
      await access.flush();
      text = await readFile(join(dir, 'demo.log'), 'utf8');
      return text !== '';
    });
    expect(JSON.parse(text) as AccessLine).toMatchObject({
      path: '/a',
      status: 200,
      bytesOut: answer.length,
    });
  });
});

describe('a PROXY header before TLS', () => {
  const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n';
  const door = frontDoor({ trustedProxies: ['127.0.0.1'], proxyProtocol: true });

  it.each([0, 3, header.length])('tells the app the visitor, cut after %i bytes', async cut => {
    const { app, port } = await start({ proxies: door.proxies });
    const raw = connectTcp(port, '127.0.0.1');
    cleanUp(() => void raw.destroy());
    raw.write(header.slice(0, cut));
    await new Promise(resolve => setTimeout(resolve, 10));
    raw.write(header.slice(cut));
    expect(await say(port, get(), { socket: raw })).toContain('200 OK');
    expect(app.received[0]).toContain('X-Forwarded-For: 203.0.113.9\r\n');
    expect(app.received[0]).toContain('X-Forwarded-Proto: https\r\n');
  });

  it('that is missing closes the connection, counted', async () => {
    const { edge, port } = await start({ proxies: door.proxies });
    await expect(shake(port)).rejects.toThrow();
    expect(edge.counters.refused.get('bad-proxy-header')).toBe(1);
  });

  it('counts connections by the visitor it names', async () => {
    const { port } = await start({ proxies: door.proxies, limits: { total: 10, perAddress: 1 } });
    const begin = () => {
      const raw = connectTcp(port, '127.0.0.1');
      cleanUp(() => void raw.destroy());
      raw.write(header);
      return shake(port, { socket: raw });
    };
    await begin();
    await expect(begin()).rejects.toThrow();
  });
});

describe('session tickets', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'of %s are worth nothing after their key changed (A6.18c)',
    async version => {
      const { port } = await start();
      const options = { minVersion: version, maxVersion: version };
      const first = await shake(port, options);
      first.write(get().replace('Connection: close\r\n', ''));
      await new Promise(resolve => first.once('data', resolve));
      const session = first.getSession();
      const resumed = async () =>
        (await shake(port, { ...options, ...(session && { session }) })).isSessionReused();
      expect(await resumed()).toBe(true);
      vi.advanceTimersByTime(13 * 3_600_000);
      expect(await resumed()).toBe(false);
    },
  );
});
