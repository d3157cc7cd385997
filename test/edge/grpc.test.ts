// Calls as gRPC makes them: messages with their length before them, in HTTP/2 streams that end with trailers.
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  cleanUp,
  closedPort,
  demoWith,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  type RawApp,
  startRawApp,
} from './harness.ts';
import { endHeaders, endStream, frame, kinds } from './http2-frames.ts';
import { answerOf, ask, openSession, startSecureEdge } from './http2-harness.ts';

const h2c = { h2c: true } as const;

/** An app that speaks HTTP/2 without TLS. */
async function startCallee(
  called: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void,
  settings: Settings = {},
) {
  const server = createServer({ settings });
  const sessions: ServerHttp2Session[] = [];
  server.on('session', session => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    called(stream, headers);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanUp(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sessions };
}

async function startBefore(called: Parameters<typeof startCallee>[0], settings?: Settings) {
  const app = await startCallee(called, settings);
  const edge = await startSecureEdge(demoWith(h2c, app.port));
  return { app, edge, session: await openSession(edge.securePort) };
}

function message(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Calls `each` with every message that is whole, and `end` after the last. */
function read(stream: NodeJS.ReadableStream, each: (text: string) => void, end: () => void = () => {}) {
  let pending = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    pending = Buffer.concat([pending, piece]);
    while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
      const end = 5 + pending.readUInt32BE(1);
      each(String(pending.subarray(5, end)));
      pending = pending.subarray(end);
    }
  });
  stream.on('end', end);
}

const answering = { ':status': 200, 'content-type': 'application/grpc' };

function respond(stream: ServerHttp2Stream, trailers: object): void {
  stream.respond(answering, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ ...trailers }));
}

/** A call, its messages and what it came to. */
function call(session: ClientHttp2Session, path = '/demo.Echo/Call', more: object = {}) {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    ':authority': 'demo.test',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  });
  stream.on('error', () => {});
  const messages: string[] = [];
  read(stream, text => messages.push(text));
  let trailers: IncomingHttpHeaders = {};
  stream.on('trailers', came => {
    trailers = came;
  });
  const done = new Promise<void>(resolve => stream.once('close', resolve));
  return { stream, messages, done, trailers: () => trailers };
}

/** The streams that a client has begun on a connection, after its preface. */
function askedOn({ received }: RawApp, connection: number): number[] {
  const bytes = Buffer.from(received[connection] ?? '', 'latin1');
  const streams: number[] = [];
  for (let at = 24; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === kinds.headers) streams.push(bytes.readUInt32BE(at + 5));
  return streams;
}

const fine = { 'grpc-status': '0' };

describe('a call to an app that speaks HTTP/2', () => {
  it('of one message and one answer goes through, with its deadline and its status (A6.10c)', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const { edge, session } = await startBefore((stream, headers) => {
      seen.push(headers);
      respond(stream, { 'grpc-status': '5', 'grpc-message': 'not%20here' });
      read(
        stream,
        text => stream.write(message(`re: ${text}`)),
        () => stream.end(),
      );
    });
    const one = call(session, '/demo.Echo/Call', { 'grpc-timeout': '5S', 'x-meta-bin': 'AAE=' });
    one.stream.end(message('hello'));
    await one.done;
    expect(one.messages).toEqual(['re: hello']);
    expect(one.trailers()).toMatchObject({ 'grpc-status': '5', 'grpc-message': 'not%20here' });
    expect(one.stream.rstCode).toBe(0);
    expect(seen[0]).toMatchObject({
      ':method': 'POST',
      ':path': '/demo.Echo/Call',
      ':authority': 'demo.test',
      te: 'trailers',
      'grpc-timeout': '5S',
      'x-meta-bin': 'AAE=',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    for (const name of ['connection', 'transfer-encoding', 'host']) expect(seen[0]).not.toHaveProperty(name);
    await eventually(() => edge.counters.of('demo').usage.inFlight === 0);
  });

  it('of one message and many answers gives each when it comes (A6.10c)', async () => {
    let next = () => {};
    const { session } = await startBefore(stream => {
      respond(stream, fine);
      let count = 0;
      next = () => void (count++ < 3 ? stream.write(message(`${count}`)) : stream.end());
      next();
    });
    const one = call(session);
    one.stream.end(message('go'));
    for (let count = 1; count <= 3; count++) {
      await eventually(() => one.messages.length === count);
      next();
    }
    await one.done;
    expect(one.messages).toEqual(['1', '2', '3']);
    expect(one.trailers()['grpc-status']).toBe('0');
  });

  it('of many messages and one answer (A6.10c)', async () => {
    const { session } = await startBefore(stream => {
      const came: string[] = [];
      read(
        stream,
        text => came.push(text),
        () => {
          respond(stream, fine);
          stream.end(message(came.join('+')));
        },
      );
    });
    const one = call(session);
    for (const text of ['a', 'b', 'c']) one.stream.write(message(text));
    one.stream.end();
    await one.done;
    expect(one.messages).toEqual(['a+b+c']);
  });

  it('both ways at once, each waiting for the other (A6.10c)', async () => {
    const { session } = await startBefore(stream => {
      respond(stream, fine);
      read(
        stream,
        text => stream.write(message(text.toUpperCase())),
        () => stream.end(),
      );
    });
    const one = call(session);
    for (const [at, text] of ['a', 'b', 'c'].entries()) {
      one.stream.write(message(text));
      await eventually(() => one.messages.length === at + 1);
    }
    one.stream.end();
    await one.done;
    expect(one.messages).toEqual(['A', 'B', 'C']);
    expect(one.trailers()['grpc-status']).toBe('0');
  });

  it('that gets a status alone gets it in one frame', async () => {
    const { session } = await startBefore(stream =>
      stream.respond({ ...answering, 'grpc-status': '12' }, { endStream: true }),
    );
    const one = call(session);
    one.stream.end(message('x'));
    const [headers, flags] = await once(one.stream, 'response');
    expect(headers['grpc-status']).toBe('12');
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0);
    await one.done;
    expect(one.stream.rstCode).toBe(0);
  });

  it('that is answered before all was said has its status, and no fault', async () => {
    const { session } = await startBefore(stream => {
      respond(stream, { 'grpc-status': '8' });
      stream.end();
    });
    const one = call(session);
    one.stream.write(message('x'));
    await one.done;
    expect(one.trailers()['grpc-status']).toBe('8');
    expect(one.stream.rstCode).toBe(0);
  });

  it('that the client gives up is canceled at the app, never ended', async () => {
    const ends: string[] = [];
    const { edge, session } = await startBefore(stream => {
      respond(stream, fine);
      stream.write(message('hi'));
      stream.on('end', () => ends.push('end'));
      stream.on('close', () => ends.push(`closed by ${stream.rstCode}, aborted ${stream.aborted}`));
    });
    const one = call(session);
    one.stream.write(message('x'));
    await eventually(() => one.messages.length === 1);
    one.stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => ends.length > 0);
    expect(ends.at(-1)).toBe('closed by 8, aborted true');
    expect(edge.counters.of('demo').aborted).toBe(1);
  });

  it('that the app breaks off is broken off', async () => {
    const { session } = await startBefore(stream => {
      respond(stream, fine);
      stream.write(message('hi'), () => setTimeout(() => stream.destroy(new Error('bug')), 20));
    });
    const one = call(session);
    one.stream.end(message('x'));
    await one.done;
    expect(one.messages).toEqual(['hi']);
    expect(one.stream.rstCode).toBe(2);
    expect(one.trailers()).toEqual({});
  });

  it('that the app refuses before it has looked at it is made once more, whatever it says', async () => {
    let calls = 0;
    const { edge, session } = await startBefore(stream => {
      calls += 1;
      if (calls === 1) {
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
        return;
      }
      respond(stream, fine);
      read(
        stream,
        text => stream.write(message(`re: ${text}`)),
        () => stream.end(),
      );
    });
    const one = call(session);
    one.stream.end(message('hello'));
    await one.done;
    expect([one.messages, one.trailers()['grpc-status']]).toEqual([['re: hello'], '0']);
    expect([calls, edge.counters.of('demo').retries]).toEqual([2, 1]);
  });

  it('that the app refuses again is a 502', async () => {
    let calls = 0;
    const { session } = await startBefore(stream => {
      calls += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    expect((await ask(session)).status).toBe(502);
    expect(calls).toBe(2);
  });

  it('after one under which the app broke the protocol finds a connection that works', async () => {
    const done = new Set<string>();
    const first = (what: string) => !done.has(what) && done.add(what);
    const app = await startRawApp((socket, _text, connection) => {
      if (first(`${connection}`)) socket.write(frame(kinds.settings, 0, 0));
      if (connection === 0) return;
      for (const stream of askedOn(app, connection))
        if (first(`${connection} ${stream}`))
          socket.write(frame(kinds.headers, endStream | endHeaders, stream, '\x88'));
    });
    const edge = await startSecureEdge(demoWith(h2c, app.port));
    const session = await openSession(edge.securePort);
    const open = call(session);
    await eventually(() => askedOn(app, 0).length === 1);
    app.sockets[0]?.write(frame(kinds.data, 0, 0, 'x'));
    await pause(50);
    const next = await Promise.all([ask(session), ask(session, { ':method': 'POST' }, 'said')]);
    expect(next.map(({ status }) => status)).toEqual([200, 200]);
    expect(app.sockets.length).toBe(2);
    open.stream.close();
  });

  it('that the app dies under is broken off, and the next finds it again', async () => {
    let alive = false;
    const { app, session } = await startBefore(stream => {
      respond(stream, fine);
      if (alive) stream.end(message('back'));
      else stream.write(message('hi'));
    });
    const one = call(session);
    one.stream.end(message('x'));
    await eventually(() => one.messages.length === 1);
    app.sessions[0]?.destroy();
    await one.done;
    expect(one.stream.rstCode).toBe(2);
    alive = true;
    const two = call(session);
    two.stream.end(message('x'));
    await two.done;
    expect(two.messages).toEqual(['back']);
  });

  it('is slowed down by a client that does not read, and others are not', async () => {
    let written = 0;
    const { session } = await startBefore((stream, headers) => {
      respond(stream, fine);
      if (headers[':path'] === '/small') {
        stream.end(message('small'));
        return;
      }
      const more = () => {
        do written += 65_536;
        while (stream.write(Buffer.alloc(65_536)) && written < 200_000_000);
      };
      stream.on('drain', more);
      more();
    });
    const stream = session.request({ ':method': 'POST', ':path': '/large', ':authority': 'demo.test' });
    stream.on('error', () => {});
    stream.end();
    await once(stream, 'response');
    let before = -1;
    await eventually(async () => {
      const same = before === written;
      before = written;
      await pause(100);
      return same;
    });
    expect(written).toBeLessThan(50_000_000);
    const small = call(session, '/small');
    small.stream.end();
    await small.done;
    expect(small.messages).toEqual(['small']);
    stream.close();
  });
});

describe('an app that speaks HTTP/2', () => {
  it('has one connection for many calls, and another when it takes no more', async () => {
    const open: ServerHttp2Stream[] = [];
    const { app, session } = await startBefore(stream => void open.push(stream), {
      maxConcurrentStreams: 20,
    });
    const first = call(session);
    first.stream.end();
    await eventually(() => open.length === 1);
    const rest = Array.from({ length: 29 }, () => call(session));
    for (const { stream } of rest) stream.end();
    await eventually(() => open.length === 30);
    expect(app.sessions).toHaveLength(2);
    for (const stream of open) stream.respond(answering, { endStream: true });
    await Promise.all(rest.map(({ done }) => done));
  });

  it('is reached over HTTP/1.1 too, with body, trailers and forwarding headers', async () => {
    const seen: IncomingHttpHeaders[] = [];
    const app = await startCallee((stream, headers) => {
      seen.push(headers);
      stream.on('trailers', trailers => seen.push(trailers));
      stream.respond({ ':status': 201, 'x-two': ['a', 'b'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.pipe(stream);
    });
    const edge = await startSecureEdge(demoWith({ ...h2c, plainHttp: true }, app.port));
    const answer = await exchange(
      edge.port,
      'POST /a?b HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Mine: 8\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 201 Created\r\nx-two: a\r\nx-two: b\r\n/);
    expect(answer).toContain('3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n');
    expect(seen[0]).toMatchObject({
      ':path': '/a?b',
      ':authority': 'demo.test',
      'x-forwarded-proto': 'http',
    });
    expect(seen[1]).toMatchObject({ 'x-mine': '8' });
  });

  it('is no place for websockets', async () => {
    const { edge } = await startBefore(() => {});
    edge.apply(demoWith({ ...h2c, plainHttp: true }, 1));
    const client = await openClient(edge.port);
    client.send(get('/', 'Upgrade: websocket\r\n').replace('Connection: close', 'Connection: Upgrade'));
    expect(await client.until('</html>')).toMatch(/^HTTP\/1\.1 501 [\s\S]*no-upgrade/);
  });

  it('that speaks HTTP/1.1 after all, or is not there, is a 502', async () => {
    const old = await startRawApp(socket => socket.end(ok));
    const edge = await startSecureEdge(demoWith(h2c, old.port));
    const session = await openSession(edge.securePort);
    expect((await ask(session)).status).toBe(502);
    edge.apply(demoWith(h2c, await closedPort()));
    expect(await ask(session)).toMatchObject({ status: 502, headers: { 'x-wherry-reason': 'app-refused' } });
    await eventually(() => edge.counters.of('demo').usage.inFlight === 0);
  });

  it('finishes its calls when another takes its place', async () => {
    const open: ServerHttp2Stream[] = [];
    const { app, edge, session } = await startBefore(stream => void open.push(stream));
    const one = call(session);
    one.stream.end(message('x'));
    await eventually(() => open.length === 1);
    const next = await startCallee(stream =>
      stream.respond({ ...answering, 'x-new': '1' }, { endStream: true }),
    );
    edge.apply(demoWith(h2c, next.port));
    expect((await answerOf(call(session).stream.end())).headers['x-new']).toBe('1');
    expect(edge.drained).toEqual([]);
    const [stream] = open;
    if (stream) respond(stream, fine);
    stream?.end(message('last'));
    await one.done;
    expect(one.messages).toEqual(['last']);
    await eventually(() => edge.drained.length === 1 && app.sessions[0]?.destroyed === true);
  });
});

describe('a call on which nothing is said', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is not cut off, however long', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { session } = await startBefore(stream => {
      respond(stream, fine);
      read(
        stream,
        text => stream.write(message(text)),
        () => stream.end(),
      );
    });
    const one = call(session);
    one.stream.write(message('a'));
    await eventually(() => one.messages.length === 1);
    for (let minute = 0; minute < 10; minute++) {
      vi.advanceTimersByTime(60_000);
      await pause(5);
    }
    one.stream.end(message('b'));
    await one.done;
    expect(one.messages).toEqual(['a', 'b']);
    expect(one.trailers()['grpc-status']).toBe('0');
  });
});

describe('a port for gRPC without TLS', () => {
  it('takes HTTP/2 with prior knowledge, for the apps that map it, and nothing else', async () => {
    const app = await startCallee((stream, headers) => {
      stream.respond({ ':status': 200, 'x-proto': headers['x-forwarded-proto'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    const port = await closedPort();
    const [route] = demoWith(h2c, app.port);
    const edge = await startSecureEdge([
      ...(route ? [{ ...route, ports: [{ scheme: 'h2c' as const, port }] }] : []),
      { app: 'other', domains: ['other.test'], state: 'serving', targets: [] },
    ]);
    await eventually(() => edge.server.ports.listeners.has(port));
    const session = connect(`http://127.0.0.1:${port}`);
    cleanUp(() => session.destroy());
    const answer = await ask(session, { ':method': 'POST' }, 'said');
    expect(answer).toMatchObject({ status: 200, text: 'said', trailers: { 'grpc-status': '0' } });
    expect(answer.headers['x-proto']).toBe('http');
    const other = await ask(session, { ':authority': 'other.test' });
    expect(other.headers['x-wherry-reason']).toBe('unknown-port');
    expect(await exchange(port, get())).not.toContain('HTTP/1.1 200');
  });
});
