import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

describe('time limits', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('give a 504 to an app that does not begin to answer within 60 s (A6.12d, A6.15e)', async () => {
    const app = await startRawApp(() => {});
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    vi.advanceTimersByTime(59_000);
    expect(client.text()).toBe('');
    vi.advanceTimersByTime(3000);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 504 [\s\S]*X-Wherry-Reason: app-timeout\r\n/);
    await eventually(() => app.sockets[0]?.destroyed === true);
  });

  it('never end a stream that has begun (A6.11e)', async () => {
    const app = await startRawApp(socket => socket.write('HTTP/1.1 200 OK\r\n\r\nhello'));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(get());
    await client.until('hello');
    vi.advanceTimersByTime(3_600_000);
    app.sockets[0]?.end('bye');
    expect(await client.closed()).toMatch(/bye\r\n0\r\n\r\n$/);
  });

  it('give a 408 to a client that sends its body slower than 500 bytes a second (A6.13b)', async () => {
    const app = await startRawApp(() => {});
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 100000\r\n\r\nab');
    await eventually(() => app.received.join('').includes('\r\n\r\nab'));
    vi.advanceTimersByTime(9000);
    expect(client.text()).toBe('');
    vi.advanceTimersByTime(3000);
    await client.until(/^HTTP\/1\.1 408 [\s\S]*X-Wherry-Reason: slow-request\r\n/);
  });

  it('let an upload live that takes long but moves (A6.13b)', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('end') && socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 100003\r\nConnection: close\r\n\r\n');
    for (let sent = 0; sent < 10; sent++) {
      client.send('x'.repeat(10_000));
      await eventually(() => (app.received[0] ?? '').split('x').length > (sent + 1) * 10_000);
      vi.advanceTimersByTime(15_000);
    }
    client.send('end');
    expect(await client.closed()).toContain('200 OK');
  });

  it('notice within a second that the client of a queued answer left', async () => {
    const app = await startRawApp((socket, text) => {
      if (text.includes('/second')) socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_000_000)}`);
    });
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    const keep = (path: string) => `GET ${path} HTTP/1.1\r\nHost: demo.test\r\n\r\n`;
    client.send(keep('/first') + keep('/second'));
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 2);
    await eventually(() => app.received.join('').includes('/second'));
    client.socket.destroy();
    await pause(50);
    vi.advanceTimersByTime(1000);
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
    await eventually(() => app.sockets.every(socket => socket.destroyed));
  });

  it('close a connection to the app that was idle for 4 s', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get());
    vi.advanceTimersByTime(3000);
    await exchange(port, get());
    expect(app.sockets.length).toBe(1);
    vi.advanceTimersByTime(5000);
    await eventually(() => app.sockets[0]?.destroyed === true);
  });

  it('take a younger connection, or a new one, for a POST', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get());
    vi.advanceTimersByTime(2000);
    await exchange(
      port,
      'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    );
    expect(app.sockets.length).toBe(2);
  });
});

describe('an app that does not accept', () => {
  it('is given up after 2 s', async () => {
    const app = await startStuckApp();
    const edge = await startTestEdge(demo(app.port));
    const began = performance.now();
    expect(await exchange(edge.port, get())).toMatch(
      /^HTTP\/1\.1 502 [\s\S]*X-Wherry-Reason: app-unreachable/,
    );
    expect(performance.now() - began).toBeGreaterThan(1900);
    expect(performance.now() - began).toBeLessThan(3500);
  });

  it('never gets the request of a client that left meanwhile', async () => {
    const app = await startStuckApp();
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(get('/left'));
    await pause(100);
    client.socket.destroy();
    await eventually(() => edge.targets.pools.get(`demo-${app.port}`)?.inFlight === 0);
    app.child.kill('SIGCONT');
    await pause(1500);
    expect(app.heard()).not.toContain('/left');
  });
});

/** A program whose backlog is full while it is stopped. */
async function startStuckApp() {
  const child = spawn(process.execPath, [
    '-e',
    'require("net").createServer(s=>s.pipe(process.stdout)).listen({port:0,host:"127.0.0.1",backlog:1},function(){console.log(this.address().port)})',
  ]);
  cleanUp(() => void child.kill('SIGKILL'));
  let heard = '';
  child.stdout.on('data', chunk => {
    heard += chunk;
  });
  await once(child.stdout, 'data');
  const port = Number(heard);
  child.kill('SIGSTOP');
  for (let i = 0; i < 4; i++) {
    const filler = connect(port, '127.0.0.1').on('error', () => {});
    cleanUp(() => void filler.destroy());
  }
  return { child, port, heard: () => heard };
}
