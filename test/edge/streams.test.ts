import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  cleanUp,
  closedPort,
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startApp,
  startRawApp,
  startTestEdge,
} from './harness.ts';

describe('streams', () => {
  it('flush the head of an event stream before its first event, and each event at once (A6.8a)', async () => {
    const app = await startRawApp(socket => {
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Name: caf\xc3\xa0\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
    });
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(get());
    await client.until(/event-stream\r\nX-Name: caf\xc3\xa0\r\n[\s\S]*\r\n\r\n$/);
    app.sockets[0]?.write('9\r\ndata: 1\n\n\r\n');
    await client.until('data: 1\n\n');
    app.sockets[0]?.write('9\r\ndata: 2\n\n\r\n');
    await client.until('data: 2\n\n');
  });

  it('carry 64 MiB down to a slow client without holding them in memory (A6.8b)', async () => {
    const size = 64 * 2 ** 20;
    const app = await startApp(async (_req, res) => {
      res.writeHead(200, { 'content-length': size });
      const piece = Buffer.alloc(65_536, 'x');
      for (let sent = 0; sent < size; sent += piece.length) if (!res.write(piece)) await once(res, 'drain');
      res.end();
    });
    const { port } = await startTestEdge(demo(app.port));
    const { socket, send } = await openClient(port);
    socket.removeAllListeners('data').pause();
    let came = 0;
    let peak = 0;
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    send(get());
    await pause(300);
    socket.resume().on('data', chunk => {
      came += chunk.length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    });
    await once(socket, 'close');
    expect(came).toBeGreaterThan(size);
    expect(peak).toBeLessThan(48 * 2 ** 20);
  });

  it('carry an upload up with back-pressure, exactly (A6.8c)', async () => {
    let got = 0;
    const app = await startApp(async (req, res) => {
      await pause(300);
      for await (const piece of req) got += (piece as Buffer).length;
      res.end(String(got));
    });
    const { port } = await startTestEdge(demo(app.port));
    const size = 32 * 2 ** 20;
    const client = await openClient(port);
    client.send(`POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: ${size}\r\nConnection: close\r\n\r\n`);
    client.socket.write(Buffer.alloc(size, 'y'));
    await pause(150);
    expect(client.socket.writableLength).toBeGreaterThan(2 ** 20);
    expect(await client.closed()).toMatch(new RegExp(`\r\n\r\n${size}$`));
  });

  it('carry a chunked upload with its trailers (A6.10b)', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('X-Sum: 1\r\n\r\n') && socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(
      port,
      'PUT / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nConnection: close, TE\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n',
    );
    expect(app.received[0]).toContain('TE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n\r\n');
    expect(app.received[0]).toMatch(/3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  });

  it('answer 100 to a client that expects it, and never forward Expect (A6.7b)', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('body') && socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(
      'POST / HTTP/1.1\r\nHost: demo.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n',
    );
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('body');
    expect(await client.closed()).toMatch(/100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    expect(app.received[0]).not.toMatch(/Expect/i);
  });

  it('refuse at once, without a 100, what has no route (A6.7c)', async () => {
    const { port } = await startTestEdge([]);
    const answer = await exchange(
      port,
      'POST / HTTP/1.1\r\nHost: no.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('give an early answer to a client that is still sending', async () => {
    const app = await startRawApp(socket =>
      socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig'),
    );
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 1000000\r\n\r\nabc');
    expect(await client.until('big')).toMatch(/^HTTP\/1\.1 413 Too Large/);
    await eventually(() => app.sockets[0]?.destroyed === true);
  });
});

describe('a client that leaves', () => {
  it('ends the request at the app before the answer (A6.9a)', async () => {
    let closed = false;
    const app = await startApp((_req, res) => {
      res.on('close', () => {
        closed = true;
      });
    });
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(get());
    await pause(50);
    client.socket.destroy();
    await eventually(() => closed);
    expect(edge.logged.some(line => line.fields['status'] === 499)).toBe(true);
    expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(0);
  });

  it('ends a stream at the app (A6.9a)', async () => {
    let closed = false;
    const app = await startApp((_req, res) => {
      const timer = setInterval(() => res.write('data: x\n\n'), 10);
      cleanUp(() => clearInterval(timer));
      res.on('close', () => {
        closed = true;
      });
    });
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(get());
    await client.until('data: x');
    client.socket.resetAndDestroy();
    await eventually(() => closed);
  });

  it('in the middle of its body closes the connection to the app (A6.5c)', async () => {
    const app = await startRawApp(() => {});
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await eventually(() => (app.received[0] ?? '').includes('abc'));
    client.socket.destroy();
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(app.received[0]).not.toContain('0\r\n\r\n');
  });
});

describe('an app that fails', () => {
  it('in the middle of a chunked body cuts the client off (A6.9b)', async () => {
    const app = await startRawApp(socket => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      setTimeout(() => socket.destroy(), 50);
    });
    const { port } = await startTestEdge(demo(app.port));
    const answer = await exchange(port, 'GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    expect(answer).toContain('hello');
    expect(answer).not.toContain('0\r\n\r\n');
  });

  it('in the middle of a body of known length cuts the client off (A6.9b)', async () => {
    const app = await startRawApp(socket => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello'));
    const { port } = await startTestEdge(demo(app.port));
    expect(await exchange(port, 'GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n')).toMatch(/\r\n\r\nhello$/);
  });
});

describe('a second try', () => {
  it('follows when an idle connection closes as the request arrives', async () => {
    let requests = 0;
    const app = await startRawApp((socket, _text, connection) => {
      requests++;
      if (connection === 0 && requests > 1) socket.destroy();
      else socket.write(ok);
    });
    const { port } = await startTestEdge(demo(app.port));
    expect(await exchange(port, get())).toContain('200 OK');
    expect(await exchange(port, get())).toContain('200 OK');
    expect(app.sockets.length).toBe(2);
  });

  it('sends a body again that was held', async () => {
    let requests = 0;
    const app = await startRawApp((socket, text, connection) => {
      requests++;
      if (connection === 0 && requests > 1) socket.destroy();
      else if (requests === 1 || text.includes('abc')) socket.write(ok);
    });
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get());
    const put = 'PUT / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc';
    expect(await exchange(port, put)).toContain('200 OK');
    expect(app.received[1]).toMatch(/^PUT [\s\S]*\r\n\r\nabc$/);
  });

  it('never sends a POST twice', async () => {
    let requests = 0;
    const app = await startRawApp((socket, _text, connection) => {
      requests++;
      if (connection === 0 && requests > 1) socket.destroy();
      else socket.write(ok);
    });
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get());
    const post = 'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    expect(await exchange(port, post)).toMatch(/^HTTP\/1\.1 502 [\s\S]*X-Wherry-Reason: app-closed\r\n/);
    expect(requests).toBe(2);
  });

  it('goes to another instance when one does not accept, whatever the method', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('abc') && socket.write(ok));
    const port = await closedPort();
    const edge = await startTestEdge(demo(port, app.port));
    for (let i = 0; i < 8; i++)
      expect(
        await exchange(
          edge.port,
          'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
        ),
      ).toContain('200 OK');
  });
});
