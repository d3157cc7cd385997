import { once } from 'node:events';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connections } from '../../src/edge/connections.ts';
import {
  cleanUp,
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
} from './harness.ts';

const keep = (path = '/') => `GET ${path} HTTP/1.1\r\nHost: demo.test\r\n\r\n`;

describe('connections', () => {
  it('beyond the limit are closed, and counted (A6.13c)', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port), { limits: { total: 3, perAddress: 3 } });
    const clients = await Promise.all([1, 2, 3].map(() => openClient(edge.port)));
    for (const client of clients) client.send(keep());
    await eventually(() => app.received.join('').match(/GET/g)?.length === 3);
    expect(await exchange(edge.port, get())).toBe('');
    expect(edge.counters.refused.get('too-many-connections')).toBe(1);
    for (const socket of app.sockets) socket.write(ok);
    for (const client of clients) expect(await client.until('ok')).toContain('200 OK');
  });

  it('that are idle make room for new ones', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { limits: { total: 3, perAddress: 3 } });
    const idle = await Promise.all([1, 2, 3].map(() => openClient(edge.port)));
    for (const client of idle) client.send(keep());
    for (const client of idle) await client.until('ok');
    await pause(20);
    expect(await exchange(edge.port, get())).toContain('200 OK');
    for (const client of idle) await client.closed();
  });

  it('are counted by IPv4 address and by IPv6 network, and not from this host (A6.13c)', () => {
    const connections = new Connections({ total: 100, perAddress: 2 }, () => {});
    const from = (address: string) => {
      const socket = new Socket();
      cleanUp(() => void socket.destroy());
      return { socket, excess: connections.addFrom(socket, address) };
    };
    const results = (...addresses: string[]) => addresses.map(address => from(address).excess);
    expect(results('192.0.2.1', '192.0.2.1', '192.0.2.2')).toEqual([undefined, undefined, undefined]);
    expect(results('192.0.2.1')).toEqual(['too-many-from-address']);
    expect(results('2001:db8::1', '2001:db8:0:0:5::', '2001:db8::7:0:1')).toEqual([
      undefined,
      undefined,
      'too-many-from-address',
    ]);
    expect(results('2001:db8:0:1::1', '::1', '::1', '::1', '127.0.0.1', '127.0.0.2', '127.0.0.1')).toEqual(
      Array(7).fill(undefined),
    );
  });

  it('that close count no more', async () => {
    const connections = new Connections({ total: 100, perAddress: 1 }, () => {});
    const socket = new Socket();
    expect(connections.addFrom(socket, '192.0.2.1')).toBeUndefined();
    socket.destroy();
    await once(socket, 'close');
    const next = new Socket();
    cleanUp(() => void next.destroy());
    expect(connections.addFrom(next, '192.0.2.1')).toBeUndefined();
  });
});

describe('clients that do not read', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const stall = async (port: number, request: string) => {
    const client = await openClient(port);
    client.send(request);
    await client.until('\r\n\r\n');
    client.socket.pause();
    return client;
  };

  it('their answer are cut off after a minute, and the instance is free again (A6.13d)', async () => {
    const app = await startRawApp(socket => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
      const more = () => {
        while (socket.writable && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', more);
      more();
    });
    const edge = await startTestEdge(demo(app.port));
    await stall(edge.port, get());
    await pause(300);
    vi.advanceTimersByTime(50_000);
    await pause(50);
    expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(1);
    vi.advanceTimersByTime(30_000);
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(edge.counters.refused.get('slow-reader')).toBe(1);
  });

  it('for a while and then go on get everything', async () => {
    const size = 30_000_000;
    const app = await startRawApp(socket => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      socket.write('x'.repeat(size));
    });
    const edge = await startTestEdge(demo(app.port));
    const client = await stall(edge.port, get());
    let came = client.text().length;
    client.socket.removeAllListeners('data').on('data', piece => {
      came += piece.length;
    });
    client.socket.pause();
    for (let i = 0; i < 4; i++) {
      await pause(50);
      vi.advanceTimersByTime(45_000);
      const before = came;
      client.socket.resume();
      await eventually(() => came > before + 1_000_000);
      client.socket.pause();
    }
    client.socket.resume();
    await client.closed();
    expect(came).toBeGreaterThan(size);
    expect(edge.counters.refused.size).toBe(0);
  });

  it('a tunnel are cut off', async () => {
    const app = await startRawApp(socket => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      const more = () => {
        while (socket.writable && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', more);
      more();
    });
    const edge = await startTestEdge(demo(app.port));
    await stall(
      edge.port,
      'GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await pause(300);
    for (let i = 0; i < 20; i++) vi.advanceTimersByTime(5000);
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
  });
});

describe('a client that half-closes before its answer', () => {
  it('has left, as far as anybody can tell', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(keep());
    await eventually(() => app.received.join('').includes('GET'));
    client.socket.end();
    expect(await client.closed()).toBe('');
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(edge.table()?.apps.get('demo')?.count.aborted).toBe(1);
  });
});

describe('a request line', () => {
  it.each([
    ['of 9 KiB', 9000],
    ['of 20 KiB', 20_000],
    ['of 1 MiB', 2 ** 20],
  ])('%s gets a 414 (A6.12b)', async (_name, length) => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(get(`/${'x'.repeat(length)}`));
    expect(await client.until('</html>')).toMatch(/^HTTP\/1\.1 414 [\s\S]*X-Wherry-Reason: target-too-long/);
    expect(edge.counters.refused.get('target-too-long')).toBe(1);
  });
});
