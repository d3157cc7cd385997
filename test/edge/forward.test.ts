import { describe, expect, it } from 'vitest';
import {
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

describe('what the app gets', () => {
  it('is the raw target, byte for byte (A6.4a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    for (const path of ['//a//b', '/a%2Fb?x={}|\\', '/../x', "/a'b?c[]=1"]) await exchange(port, get(path));
    const lines = app.received.join('').match(/^GET .*(?=\r)/gm);
    expect(lines).toEqual([
      'GET //a//b HTTP/1.1',
      'GET /a%2Fb?x={}|\\ HTTP/1.1',
      'GET /../x HTTP/1.1',
      "GET /a'b?c[]=1 HTTP/1.1",
    ]);
  });

  it('is the path and host of an absolute-form target (A6.3c)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(
      port,
      'GET http://demo.test:81/a//b?c HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n',
    );
    await exchange(port, 'GET http://demo.test HTTP/1.1\r\nhost: other.test\r\nConnection: close\r\n\r\n');
    const got = app.received.join('');
    expect(got).toMatch(/^GET \/a\/\/b\?c HTTP\/1\.1\r\nHost: demo\.test:81\r\n/);
    expect(got).toContain('GET / HTTP/1.1\r\nHost: demo.test\r\n');
    expect(got).not.toContain('other.test');
  });

  it('is the Host as the client wrote it, whatever the lookup makes of it (A6.3b)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    for (const host of ['Demo.TEST', 'demo.test.', 'demo.test:9999', 'DEMO.test.:1']) {
      const answer = await exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expect(answer).toContain('200 OK');
      const got = app.received.join('').split('GET ').at(-1);
      expect(got).toContain(`\r\nHost: ${host}\r\n`);
      expect(got).toContain(`\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n`);
    }
  });

  it('is every header in its order, with case and duplicates, and UTF-8 as it came (A6.4c)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(
      port,
      get('/', 'B: 1\r\na: 2\r\nB: 3\r\nCookie: x=1\r\nCookie: y=2\r\nX-Name: caf\xc3\xa0\r\n'),
    );
    expect(app.received[0]).toContain(
      'Host: demo.test\r\nB: 1\r\na: 2\r\nB: 3\r\nCookie: x=1\r\nCookie: y=2\r\nX-Name: caf\xc3\xa0\r\n',
    );
  });

  it('has forwarding headers of the edge alone (A6.2a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const forged = [
      'X-Forwarded-For: 6.6.6.6',
      'X_Forwarded_For: 6.6.6.6',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil',
      'X-Forwarded-Port: 443',
      'X-Forwarded-Ssl: on',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
      'X-Request-Start: 1',
      'Proxy: http://evil',
    ];
    await exchange(port, get('/', `${forged.join('\r\n')}\r\n`));
    const got = app.received[0] ?? '';
    expect(got).not.toMatch(/6\.6\.6\.6|evil|https|: 443|Ssl/);
    expect(got).toContain(
      `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: demo.test\r\nX-Forwarded-Port: ${port}\r\n`,
    );
    expect(got).toMatch(/X-Request-Start: 1[0-9]{12}\r\nX-Request-ID: [0-9a-f-]{36}\r\n/);
  });

  it('keeps a sane request id and replaces another (A6.2c)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(port, get('/', 'X-Request-ID: abc-123.DEF\r\n'));
    await exchange(port, get('/', 'X-Request-ID: <script>\r\n'));
    expect(app.received.join('').match(/X-Request-ID: .*(?=\r)/g)).toEqual([
      'X-Request-ID: abc-123.DEF',
      expect.stringMatching(/^X-Request-ID: [0-9a-f-]{36}$/),
    ]);
  });

  it('has no hop-by-hop header, nor one that Connection names, but keeps ours though it names them (A6.1a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    await exchange(
      port,
      'GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: close, X-Secret, X-Forwarded-For, Host\r\nX-Secret: 1\r\nKeep-Alive: 5\r\n' +
        'TE: gzip\r\nProxy-Authorization: Basic x\r\nProxy-Connection: keep-alive\r\nUpgrade: foo\r\nAccept: */*\r\n\r\n',
    );
    const got = app.received[0] ?? '';
    expect(got).not.toMatch(/X-Secret|Keep-Alive|TE:|Proxy-|Upgrade|Connection/);
    expect(got).toContain('Host: demo.test\r\nAccept: */*\r\nX-Forwarded-For: 127.0.0.1\r\n');
  });

  it('keeps the chunked framing of a DELETE, so that its body is no second request (A6.6a)', async () => {
    const app = await startRawApp((socket, text) => text.includes('0\r\n\r\n') && socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: demo.test\r\n\r\n';
    for (const method of ['DELETE', 'OPTIONS', 'GET'])
      await exchange(
        port,
        `${method} / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n` +
          `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`,
      );
    for (const got of app.received.join('').split(/(?=DELETE|OPTIONS)/)) {
      expect(got).toContain('Transfer-Encoding: chunked\r\n\r\n');
      expect(got).toContain(`${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`);
      expect(got).not.toContain('Content-Length');
    }
  });

  it('is one connection for many requests, also when the client closes each of its own', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    for (let i = 0; i < 10; i++) expect(await exchange(port, get())).toContain('\r\n\r\nok');
    expect(app.sockets.length).toBe(1);
  });
});

describe('what the client gets', () => {
  it('is every header in its order with duplicates, without hop-by-hop ones (A6.1b)', async () => {
    const app = await startRawApp(socket =>
      socket.write(
        'HTTP/1.1 201 Made It\r\nSet-Cookie: a=1\r\nServer: x\r\nSet-Cookie: b=2\r\nConnection: X-Private, keep-alive\r\nX-Private: 1\r\n' +
          'Keep-Alive: timeout=9\r\nProxy-Authenticate: Basic\r\nX-Wherry-Reason: forged\r\nETag: "\xc3\xa0"\r\nContent-Length: 0\r\n\r\n',
      ),
    );
    const { port } = await startTestEdge(demo(app.port));
    const answer = await exchange(port, get());
    expect(answer).toMatch(
      /^HTTP\/1\.1 201 Made It\r\nSet-Cookie: a=1\r\nServer: x\r\nSet-Cookie: b=2\r\nETag: "\xc3\xa0"\r\n/,
    );
    expect(answer).not.toMatch(/X-Private|timeout=9|Proxy-|X-Wherry/);
    expect(answer).toContain('Content-Length: 0\r\n');
  });

  it('has no body after HEAD, 204 and 304, nor a made-up length (A6.6b)', async () => {
    const app = await startRawApp((socket, text) => {
      const path = /^\w+ (\S+)/.exec(text)?.[1] ?? '';
      const answers: Record<string, string> = {
        '/head': 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n',
        '/chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
        '/204': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
        '/304': 'HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n',
      };
      socket.write(answers[path] ?? ok);
    });
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    for (const [method, path] of [
      ['HEAD', '/head'],
      ['HEAD', '/chunked'],
      ['GET', '/204'],
      ['GET', '/304'],
    ]) {
      client.send(`${method} ${path} HTTP/1.1\r\nHost: demo.test\r\n\r\n`);
      await pause(50);
    }
    client.send(get('/end'));
    const [head, chunked, none, unchanged, end] = (await client.closed()).split(/(?=HTTP\/1\.1 )/);
    expect(head).toContain('Content-Length: 1234\r\n');
    expect(chunked).not.toMatch(/Content-Length/);
    expect(none).not.toMatch(/Content-Length|Transfer-Encoding/);
    expect(unchanged).toContain('Content-Length: 77\r\n');
    for (const each of [head, chunked, none, unchanged]) expect(each).toMatch(/\r\n\r\n$/);
    expect(end).toContain('\r\n\r\nok');
    expect(app.sockets.length).toBe(1);
  });

  it('is not chunked for HTTP/1.0 (A6.6c)', async () => {
    const app = await startRawApp(socket =>
      socket.write(
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
      ),
    );
    const { port } = await startTestEdge(demo(app.port));
    const answer = await exchange(port, 'GET / HTTP/1.0\r\nHost: demo.test\r\n\r\n');
    expect(answer).toMatch(/\r\n\r\nabc$/);
    expect(answer).not.toMatch(/chunked|Trailer/i);
  });

  it('has the trailers and early hints of the app (A6.10a)', async () => {
    const app = await startRawApp(socket =>
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '3\r\nabc\r\n0\r\nX-Sum: 42\r\nContent-Length: 9\r\n\r\n',
      ),
    );
    const { port } = await startTestEdge(demo(app.port));
    const answer = await exchange(port, get());
    expect(answer).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    expect(answer).toContain('Trailer: X-Sum\r\n');
    expect(answer).toMatch(/3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n$/);
    expect(app.sockets.length).toBe(1);
  });

  it('is the bytes up to the close of an app that says no length', async () => {
    const app = await startRawApp(socket => socket.end('HTTP/1.0 200 OK\r\n\r\nhello'));
    const { port } = await startTestEdge(demo(app.port));
    expect(await exchange(port, get())).toMatch(/Transfer-Encoding: chunked[\s\S]*5\r\nhello\r\n0\r\n\r\n$/);
  });
});

describe('balance', () => {
  it('goes to the instance that has less in flight (A6.17a)', async () => {
    const hits = [0, 0];
    const slow = await startApp((_req, res) => {
      hits[0] = (hits[0] ?? 0) + 1;
      setTimeout(() => res.end('slow'), 400);
    });
    const fast = await startApp((_req, res) => {
      hits[1] = (hits[1] ?? 0) + 1;
      res.end('fast');
    });
    const edge = await startTestEdge(demo(slow.port, fast.port));
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        for (let i = 0; i < 5; i++) await exchange(edge.port, get());
      }),
    );
    expect((hits[0] ?? 0) + (hits[1] ?? 0)).toBe(50);
    expect(hits[1]).toBeGreaterThan(2 * (hits[0] ?? 0));
    await eventually(() => [...edge.targets.pools.values()].every(pool => pool.inFlight === 0));
  });
});
