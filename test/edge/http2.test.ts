import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { AccessLog } from '../../src/edge/access-log.ts';
import {
  cleanUp,
  closedPort,
  demo,
  demoWith,
  eventually,
  ok,
  openClient,
  pause,
  startApp,
  startRawApp,
  targetAt,
} from './harness.ts';
import { answerOf, ask, openSession, startSecureEdge } from './http2-harness.ts';

/** An edge before an app that answers each request with these bytes. */
async function startBefore(answer = ok, routes = demo) {
  const app = await startRawApp((socket, text) => {
    if (/\r\n\r\n/.test(text)) socket.write(answer);
  });
  const edge = await startSecureEdge(routes(app.port));
  return { app, edge, session: await openSession(edge.securePort) };
}

describe('a request over HTTP/2', () => {
  it('reaches the app as the HTTP/1.1 request that says the same', async () => {
    const { app, edge, session } = await startBefore();
    const answer = await ask(session, {
      ':path': '/a//b?c=%20',
      cookie: ['a=1', 'b=2'],
      'x-forwarded-for': '6.6.6.6',
      'x-two': ['one', 'two'],
      te: 'trailers',
    });
    expect(answer).toMatchObject({ status: 200, text: 'ok', code: 0 });
    const [head = ''] = app.received;
    expect(head).toMatch(/^GET \/a\/\/b\?c=%20 HTTP\/1\.1\r\nHost: demo\.test\r\n/);
    expect(head).toContain('cookie: a=1; b=2\r\n');
    expect(head).toContain('x-two: one\r\nx-two: two\r\n');
    expect(head).toContain('TE: trailers\r\nConnection: TE\r\n');
    expect(head).toContain('X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n');
    expect(head).toContain(`X-Forwarded-Port: ${edge.securePort}\r\n`);
    expect(head).not.toMatch(/6\.6\.6\.6|\r\n:|Transfer-Encoding|Content-Length/i);
  });

  it('has its body framed as it was told', async () => {
    const app = await startApp((req, res) => {
      let text = '';
      req.on('data', piece => (text += piece));
      req.on('end', () =>
        res.end(JSON.stringify([req.headers['content-length'], req.headers['transfer-encoding'], text])),
      );
    });
    const session = await openSession((await startSecureEdge(demo(app.port))).securePort);
    const post = { ':method': 'POST' };
    expect((await ask(session, post, 'abc')).text).toBe('[null,"chunked","abc"]');
    expect((await ask(session, { ...post, 'content-length': '3' }, 'abc')).text).toBe('["3",null,"abc"]');
    const large = 'x'.repeat(3_000_000);
    expect((await ask(session, post, large)).text).toBe(`[null,"chunked","${large}"]`);
  });

  it('carries trailers both ways', async () => {
    const { app, session } = await startBefore(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
    const stream = session.request(
      { ':method': 'POST', ':authority': 'demo.test' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-mine': '8' }));
    stream.end('abc');
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ text: 'ok', trailers: { 'x-sum': '7' }, code: 0 });
    expect(answer.headers['trailer']).toBe('X-Sum');
    expect(app.received[0]).toContain('3\r\nabc\r\n0\r\nx-mine: 8\r\n\r\n');
  });

  it('gets early hints, and 100 when an instance is admitted', async () => {
    const { session } = await startBefore(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${ok}`,
    );
    const stream = session.request({
      ':method': 'POST',
      ':authority': 'demo.test',
      expect: '100-continue',
    });
    const interim: unknown[] = [];
    stream.on('headers', headers => interim.push([headers[':status'], headers['link']]));
    await once(stream, 'continue');
    stream.end('abc');
    expect((await answerOf(stream)).text).toBe('ok');
    expect(interim).toContainEqual([103, '</a.css>; rel=preload']);
  });

  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304],
  ])('has no body for %s answered with %s', async (method, answer, status) => {
    const { session } = await startBefore(answer);
    const { headers, ...rest } = await ask(session, { ':method': method });
    expect(rest).toMatchObject({ status, text: '', code: 0 });
    expect(headers['content-length']).toBe(method === 'HEAD' ? '5' : undefined);
  });

  it('leaves out what ends at a hop, keeps duplicates, and gets over what Node would throw for', async () => {
    const { session } = await startBefore(
      'HTTP/1.1 777 Odd\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=9\r\nTE: a\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
        'Content-Type: text/plain\r\nContent-Type: text/html\r\nX-Utf: \xe9\r\nContent-Length: 2\r\n\r\nok',
    );
    const { status, headers, text } = await ask(session);
    expect(status).toBe(599);
    expect(text).toBe('ok');
    expect(headers).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      'content-type': 'text/plain',
      'x-utf': '\xe9',
    });
    for (const name of ['connection', 'x-hop', 'keep-alive', 'te', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name);
  });

  it('shares its connection with others, each answered when it is', async () => {
    const app = await startApp((req, res) => {
      if (req.url === '/slow') setTimeout(() => res.end('slow'), 100);
      else res.end('quick');
    });
    const session = await openSession((await startSecureEdge(demo(app.port))).securePort);
    const order: string[] = [];
    const note = async (path: string) => order.push((await ask(session, { ':path': path })).text);
    await Promise.all(['/slow', '/a', '/b'].map(note));
    expect(order).toEqual(['quick', 'quick', 'slow']);
  });

  it('waits for an app that sleeps', async () => {
    const app = await startApp((_req, res) => res.end('awake'));
    const hold = { timeout: 5000, queue: 10, waitingPage: false, ignorePaths: [], ignoreAgents: [] };
    const asleep = demo().map(route => ({ ...route, state: 'asleep' as const, hold }));
    const edge = await startSecureEdge(asleep);
    const session = await openSession(edge.securePort);
    const answer = ask(session, { ':path': '/wake?secret' });
    await eventually(() => edge.woken.length > 0);
    expect(edge.woken[0]).toMatchObject({ app: 'demo', path: '/wake', host: 'demo.test' });
    edge.apply(demo(app.port));
    expect((await answer).text).toBe('awake');
  });

  it('has HSTS, a request id and its line in the access log', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'wherry-access-'));
    const access = new AccessLog({ dir });
    cleanUp(async () => {
      await access.close();
      await rm(dir, { recursive: true, force: true });
    });
    const app = await startApp((req, res) => res.end(req.headers['x-request-id']));
    const edge = await startSecureEdge(demoWith({ hsts: 'max-age=60' }, app.port), { access });
    const session = await openSession(edge.securePort);
    const answer = await ask(session, { 'x-request-id': 'id-12345678', 'user-agent': 'test/2' });
    expect(answer).toMatchObject({
      text: 'id-12345678',
      headers: { 'strict-transport-security': 'max-age=60' },
    });
    let text = '';
    await eventually(async () => {
      await access.flush();
      text = await readFile(join(dir, 'demo.log'), 'utf8');
      return text !== '';
    });
    expect(JSON.parse(text)).toMatchObject({
      protocol: 'HTTP/2.0',
      status: 200,
      agent: 'test/2',
      bytesOut: 11,
      instance: targetAt(app.port).id,
    });
  });
});

describe('pages over HTTP/2', () => {
  it('are those of HTTP/1.1, and the connection goes on', async () => {
    const edge = await startSecureEdge(demo(await closedPort()));
    const session = await openSession(edge.securePort);
    expect(await ask(session)).toMatchObject({
      status: 502,
      headers: { 'x-wherry-reason': 'app-refused' },
    });
    const json = await ask(session, { ':authority': 'also.test', accept: 'application/json' });
    expect(json.status).toBe(404);
    expect(JSON.parse(json.text).error.code).toBe('unknown-host');
    expect(await ask(session, { expect: 'much' })).toMatchObject({ status: 417 });
    expect(await ask(session, { ':scheme': 'file' })).toMatchObject({ status: 400 });
    expect(await ask(session, { ':path': `/${'x'.repeat(9000)}` })).toMatchObject({ status: 414 });
    expect(edge.counters.refused.get('bad-target')).toBe(1);
  });

  it('refuse what two parties could read in two ways, before any app sees it', async () => {
    const { app, session } = await startBefore();
    const refused = async (headers: object) => {
      const { status, code } = await ask(session, { ...headers });
      return status ?? code;
    };
    expect(await refused({ host: 'other.test' })).toBe(400);
    expect(await refused({ ':path': 'http://other.test/' })).toBe(1);
    expect(await refused({ ':scheme': 'file' })).toBe(400);
    expect(await refused({ ':authority': 'demo.test:x' })).toBe(400);
    expect(app.received).toEqual([]);
    expect((await ask(session, { host: 'DEMO.test' })).status).toBe(200);
  });

  it('refuse a tunnel', async () => {
    const { session } = await startBefore();
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'demo.test:22' });
    expect((await answerOf(stream)).status).toBe(405);
  });

  it('refuse a body beyond the limit before it is read, and the stream ends without a fault', async () => {
    const app = await startApp((_req, res) => res.end('no'));
    const edge = await startSecureEdge(demoWith({ bodyLimit: 10 }, app.port));
    const session = await openSession(edge.securePort);
    const stream = session.request({
      ':method': 'POST',
      ':authority': 'demo.test',
      'content-length': '5000000',
    });
    stream.write('x'.repeat(100_000));
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 413, code: 0 });
    expect(answer.text).toContain('</html>');
    const unknown = session.request({ ':method': 'POST', ':authority': 'demo.test' });
    unknown.write('x'.repeat(1000));
    expect((await answerOf(unknown)).status).toBe(413);
  });

  it('send away who asks over a connection whose certificate is for another host (421)', async () => {
    const app = await startApp((req, res) => res.end(req.headers.host));
    const domains = ['demo.test', 'also.test', 'other.test', 'plain.test'];
    const edge = await startSecureEdge(demo(app.port).map(route => ({ ...route, domains })));
    const session = await openSession(edge.securePort);
    expect((await ask(session, { ':authority': 'also.test' })).text).toBe('also.test');
    for (const host of ['other.test', 'plain.test'])
      expect(await ask(session, { ':authority': host })).toMatchObject({
        status: 421,
        headers: { 'x-wherry-reason': 'misdirected' },
      });
    const other = await openSession(edge.securePort, 'other.test');
    expect((await ask(other, { ':authority': 'other.test' })).text).toBe('other.test');
  });
});

describe('an end before its time over HTTP/2', () => {
  it('of the client ends the request at the app', async () => {
    const app = await startRawApp(socket => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'));
    const edge = await startSecureEdge(demo(app.port));
    const session = await openSession(edge.securePort);
    const stream = session.request({ ':authority': 'demo.test' });
    stream.on('error', () => {});
    await once(stream, 'data');
    stream.close(8);
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(edge.counters.of('demo').aborted).toBe(1);
    expect(edge.counters.of('demo').usage.inFlight).toBe(0);
    expect(session.closed).toBe(false);
  });

  it.each(['Content-Length: 9\r\n\r\nok', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'])(
    'of the app resets the stream, and no other: %j',
    async rest => {
      const app = await startRawApp((socket, text) => {
        if (text.includes('/whole')) socket.write(ok);
        else socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => setTimeout(() => socket.destroy(), 20));
      });
      const session = await openSession((await startSecureEdge(demo(app.port))).securePort);
      expect(await ask(session)).toMatchObject({ text: 'ok', code: 2 });
      expect(await ask(session, { ':path': '/whole' })).toMatchObject({ text: 'ok', code: 0 });
    },
  );

  it('of the connection ends all its requests', async () => {
    const app = await startRawApp(() => {});
    const edge = await startSecureEdge(demo(app.port));
    const session = await openSession(edge.securePort);
    for (let i = 0; i < 3; i++) void ask(session);
    await eventually(() => app.received.length === 3);
    session.destroy();
    await eventually(() => edge.counters.of('demo').usage.inFlight === 0);
    expect(app.sockets.every(socket => socket.destroyed)).toBe(true);
  });
});

describe('back-pressure over HTTP/2', () => {
  it('slows the app down for a client that does not read', async () => {
    let sent = 0;
    const app = await startApp((_req, res) => {
      const piece = Buffer.alloc(65_536);
      const more = () => {
        do sent += piece.length;
        while (res.write(piece) && sent < 200_000_000);
      };
      res.on('drain', more);
      more();
    });
    const session = await openSession((await startSecureEdge(demo(app.port))).securePort);
    const stream = session.request({ ':authority': 'demo.test' });
    await once(stream, 'response');
    let before = -1;
    await eventually(async () => {
      const same = before === sent;
      before = sent;
      await pause(100);
      return same;
    });
    expect(sent).toBeLessThan(100_000_000);
    stream.resume();
    await eventually(() => sent > before);
    stream.close();
  });

  it('slows the client down for an app that does not read', async () => {
    const app = await startRawApp(socket => socket.pause());
    const session = await openSession((await startSecureEdge(demo(app.port))).securePort);
    const stream = session.request({ ':method': 'POST', ':authority': 'demo.test' });
    stream.on('error', () => {});
    let taken = 0;
    const piece = Buffer.alloc(65_536);
    const more = () => {
      stream.write(piece, error => {
        if (error) return;
        taken += piece.length;
        more();
      });
    };
    more();
    let before = -1;
    await eventually(async () => {
      const same = before === taken && taken > 0;
      before = taken;
      await pause(100);
      return same;
    });
    expect(taken).toBeLessThan(30_000_000);
    stream.close();
  });
});

describe('the version of a connection', () => {
  it.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [undefined, false],
  ])('for %j is %s', async (ALPNProtocols, chosen) => {
    const edge = await startSecureEdge(demo());
    const socket = connect({
      host: '127.0.0.1',
      port: edge.securePort,
      servername: 'demo.test',
      rejectUnauthorized: false,
      ...(ALPNProtocols && { ALPNProtocols }),
    });
    cleanUp(() => void socket.destroy());
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe(chosen);
  });

  it('is HTTP/1.1 on the plain listener', async () => {
    const edge = await startSecureEdge(demo());
    const client = await openClient(edge.port);
    client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 (?:400|505) /);
  });
});
