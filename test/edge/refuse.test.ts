import { describe, expect, it } from 'vitest';
import { demo, exchange, get, ok, openClient, pause, startRawApp, startTestEdge } from './harness.ts';

const reasonOf = (answer: string) =>
  /^HTTP\/1\.1 (\d+)[\s\S]*?\r\nX-Wherry-Reason: (\S+)/.exec(answer)?.slice(1).join(' ');

describe('requests that are refused', () => {
  const cases: [string, string, string][] = [
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', '400 bad-host'],
    ['no Host in HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', '400 bad-host'],
    [
      'two Hosts',
      'GET / HTTP/1.1\r\nHost: demo.test\r\nHost: demo.test\r\nConnection: close\r\n\r\n',
      '400 bad-host',
    ],
    ['an invalid Host', 'GET / HTTP/1.1\r\nHost: demo.test/x\r\nConnection: close\r\n\r\n', '400 bad-host'],
    [
      'a Host with a user',
      'GET / HTTP/1.1\r\nHost: a@demo.test\r\nConnection: close\r\n\r\n',
      '400 bad-host',
    ],
    ['an empty Host', 'GET / HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n', '400 bad-host'],
    [
      'a user in an absolute target',
      'GET http://a@demo.test/ HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n',
      '400 bad-host',
    ],
    [
      'a target without a slash',
      'GET demo HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n',
      '400 bad-',
    ],
    [
      '* of another method than OPTIONS',
      'GET * HTTP/1.1\r\nHost: demo.test\r\nConnection: close\r\n\r\n',
      '400 bad-',
    ],
    [
      'both lengths',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 bad-',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
      '400 bad-',
    ],
    [
      'a length with a sign',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: +3\r\n\r\nabc',
      '400 bad-',
    ],
    [
      'an unknown transfer encoding',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
      '501 bad-framing',
    ],
    [
      'chunked twice',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
      '400 bad-request',
    ],
    [
      'chunked not last',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
      '400 bad-',
    ],
    [
      'chunked in HTTP/1.0',
      'POST / HTTP/1.0\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      '400 bad-',
    ],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost: demo.test\r\nX : 1\r\n\r\n', '400 bad-request'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: demo.test\r\nX: 1\r\n 2\r\n\r\n', '400 bad-request'],
    ['a bare CR', 'GET / HTTP/1.1\r\nHost: demo.test\r\nX: 1\rY: 2\r\n\r\n', '400 bad-request'],
    ['a zero byte', 'GET / HTTP/1.1\r\nHost: demo.test\r\nX: \0\r\n\r\n', '400 bad-request'],
    ['HTTP/0.9', 'GET /\r\n\r\n', '505 bad-version'],
    ['HTTP/0.9 by name', 'GET / HTTP/0.9\r\nHost: demo.test\r\n\r\n', '505 bad-version'],
    ['HTTP/2.0 by name', 'GET / HTTP/2.0\r\nHost: demo.test\r\n\r\n', '505 bad-version'],
    [
      'an expectation that nobody knows',
      'POST / HTTP/1.1\r\nHost: demo.test\r\nExpect: miracle\r\nContent-Length: 3\r\n\r\nabc',
      '417 bad-expectation',
    ],
    ['a control byte in the target', 'GET /a\x01b HTTP/1.1\r\nHost: demo.test\r\n\r\n', '400 bad-request'],
    ['a zero byte in the target', 'GET /a\0b HTTP/1.1\r\nHost: demo.test\r\n\r\n', '400 bad-request'],
    ['a tab in the target', 'GET /a\tb HTTP/1.1\r\nHost: demo.test\r\n\r\n', '400 bad-request'],
    [
      'bytes beyond ASCII in the target',
      'GET /caf\xe9 HTTP/1.1\r\nHost: demo.test\r\n\r\n',
      '400 bad-request',
    ],
    ['garbage', '\x16\x03\x01\x02garbage\r\n\r\n', '400 bad-request'],
    ['101 headers', get('/', 'X: 1\r\n'.repeat(101)), '431 too-many-headers'],
    ['headers over 16 KiB', get('/', `X: ${'x'.repeat(17_000)}\r\n`), '431 headers-too-large'],
    ['a target over 8 KiB', get(`/${'x'.repeat(8200)}`), '414 target-too-long'],
    ['CONNECT', 'CONNECT demo.test:443 HTTP/1.1\r\nHost: demo.test\r\n\r\n', '405 no-tunnels'],
  ];
  it.each(cases)('are those with %s (A6.3a, A6.4b, A6.5a, A6.12a)', async (_name, request, expected) => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send(request);
    expect(reasonOf(await client.until(/<\/html>/))).toMatch(new RegExp(`^${expected}`));
    expect(app.received.join('')).toBe('');
  });

  it('with a bare LF never reach the app as another request than the edge read (A6.5b)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\nX: 1\r\nConnection: close\r\n\r\n');
    await client.closed();
    expect(app.received.join('')).not.toMatch(/[^\r]\n/);
  });

  it('for their chunks get a 400, and the app no whole request (A6.5a)', async () => {
    for (const body of [
      '0x3\r\nabc\r\n',
      '3\r\nabcd\r\n',
      '3\nabc\r\n',
      '3;a\nb\r\nabc\r\n',
      '-1\r\n',
      `${'f'.repeat(17)}\r\n`,
    ]) {
      const app = await startRawApp(() => {});
      const edge = await startTestEdge(demo(app.port));
      const client = await openClient(edge.port);
      client.send(`POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}0\r\n\r\n`);
      expect(reasonOf(await client.closed()), body).toBe('400 bad-request');
      expect(app.received.join('')).not.toContain('\r\n0\r\n\r\n');
      expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(0);
    }
  });

  it('end their connection: what follows is no request of its own (A6.5a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demo(app.port));
    for (const encoding of ['', 'xchunked', 'gzip, chunked']) {
      const first = `POST / HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: ${encoding}\r\n\r\n`;
      expect(reasonOf(await exchange(port, first + get('/smuggled')))).toBe('501 bad-framing');
    }
    expect(app.received).toEqual([]);
  });

  it('behind one that closes its connection leave it its answer', async () => {
    const app = await startRawApp(socket => setTimeout(() => socket.write(ok), 50));
    const { port } = await startTestEdge(demo(app.port));
    expect((await exchange(port, get('/1') + get('/2'))).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
    expect(app.received.join('')).not.toContain('/2');
  });

  it('after one whose answer has begun let it end', async () => {
    const app = await startRawApp((socket, text) => {
      if (text.includes('GET /slow')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc');
    });
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('GET /slow HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await client.until('abc');
    client.send('garbage\r\n\r\nmore garbage\r\n\r\n');
    await pause(50);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    app.sockets[0]?.write('def');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nabcdef$/);
    expect(app.received.join('').match(/GET/g)?.length).toBe(1);
  });

  it('after a good one on the same connection do not disturb its answer', async () => {
    const app = await startRawApp(socket => setTimeout(() => socket.write(ok), 100));
    const { port } = await startTestEdge(demo(app.port));
    const client = await openClient(port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await pause(30);
    client.send('garbage\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
  });
});

describe('pages', () => {
  it('name an unknown host, escaped, and what to do (A6.15a)', async () => {
    const { port } = await startTestEdge([]);
    const answer = await exchange(
      port,
      'GET / HTTP/1.1\r\nHost: Nobody.test:80\r\nConnection: close\r\n\r\n',
    );
    expect(reasonOf(answer)).toBe('404 unknown-host');
    expect(answer).toContain('No app answers to nobody.test here.');
    expect(answer).toContain('domains:add APP nobody.test');
    expect(answer).toContain('Content-Type: text/html; charset=utf-8\r\n');
  });

  it('are JSON for a client that asks for it (A6.15b)', async () => {
    const { port } = await startTestEdge([]);
    const answer = await exchange(
      port,
      'GET / HTTP/1.1\r\nHost: no.test\r\nAccept: application/json\r\nConnection: close\r\n\r\n',
    );
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error).toMatchObject({ code: 'unknown-host' });
  });

  it('have no body for HEAD', async () => {
    const { port } = await startTestEdge([]);
    expect(await exchange(port, 'HEAD / HTTP/1.1\r\nHost: no.test\r\nConnection: close\r\n\r\n')).toMatch(
      /\r\n\r\n$/,
    );
  });

  it('say why an app does not serve, with markup escaped (A6.15c)', async () => {
    const { port } = await startTestEdge([
      { app: 'demo', domains: ['demo.test'], state: 'crashed', reason: 'It said <b>"no"</b>.', targets: [] },
    ]);
    const answer = await exchange(port, get());
    expect(reasonOf(answer)).toBe('503 app-crashed');
    expect(answer).toContain('It said &#60;b&#62;&#34;no&#34;&#60;/b&#62;.');
    expect(answer).toMatch(/Retry-After: \d+\r\n/);
  });

  it('say that the edge knows no routes yet', async () => {
    const { port } = await startTestEdge();
    expect(reasonOf(await exchange(port, get()))).toBe('503 no-routes');
  });

  it('say what the app did wrong (A6.15d)', async () => {
    const answers: Record<string, string> = {
      '/close': '',
      '/garbage': 'hello\r\n\r\n',
      '/fold': 'HTTP/1.1 200 OK\r\nA: 1\r\n b\r\n\r\n',
      '/lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      '/encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab',
      '/switch': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    };
    const app = await startRawApp((socket, text) =>
      socket.end(answers[/^GET (\S+)/.exec(text)?.[1] ?? ''] ?? ''),
    );
    const { port } = await startTestEdge(demo(app.port));
    expect(reasonOf(await exchange(port, get('/close')))).toBe('502 app-closed');
    for (const path of Object.keys(answers).slice(1))
      expect([path, reasonOf(await exchange(port, get(path)))]).toEqual([path, '502 app-protocol']);
  });

  it('say that the app refuses connections', async () => {
    const { port } = await startTestEdge(demo(1));
    const answer = await exchange(port, get());
    expect(reasonOf(answer)).toBe('502 app-refused');
    expect(answer).toContain('logs demo');
  });
});
