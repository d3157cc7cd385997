import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Http2Answer } from '../../src/edge/http2-answer.ts';
import { Http2Front } from '../../src/edge/http2-front.ts';
import { SlowReaders } from '../../src/edge/slow-readers.ts';
import { cleanUp, demo, eventually, ok, startRawApp } from './harness.ts';
import {
  ack,
  block,
  codeOf,
  endHeaders,
  endStream,
  type FrameClient,
  frame,
  get,
  headers,
  kinds,
  openFrames,
  request,
  uint32,
} from './http2-frames.ts';
import { answerOf, ask, openSession, startSecureEdge } from './http2-harness.ts';

const protocolError = 1;
const refusedStream = 7;
const calm = 11;

async function start(answer: (text: string) => string | undefined = () => ok) {
  const app = await startRawApp((socket, text) => {
    const bytes = answer(text);
    if (bytes !== undefined) socket.write(bytes);
  });
  const edge = await startSecureEdge(demo(app.port));
  const busy = () => edge.counters.of('demo').usage.inFlight;
  return { app, edge, busy, client: await openFrames(edge.securePort) };
}

function inFrames(stream: number, large: Buffer): Buffer[] {
  return [
    frame(kinds.headers, endStream, stream, large.subarray(0, 16_000)),
    frame(kinds.continuation, 0, stream, large.subarray(16_000, 32_000)),
    frame(kinds.continuation, endHeaders, stream, large.subarray(32_000)),
  ];
}

/** Where the last words came through before the end. */
function saysCalm({ frames }: FrameClient): void {
  const word = frames.find(({ type }) => type === kinds.goaway);
  if (word) expect(codeOf(word)).toBe(calm);
}

describe('an HTTP/2 connection', () => {
  it('has at most 100 requests under way (A6.14)', async () => {
    const { client, busy } = await start(() => undefined);
    for (let i = 0; i < 101; i++) client.send(get(2 * i + 1));
    expect(codeOf(await client.until(kinds.reset))).toBe(refusedStream);
    await eventually(() => busy() === 100);
    client.send(frame(kinds.reset, 0, 1, uint32(8)));
    await eventually(() => busy() === 99);
    client.send(get(203));
    await eventually(() => busy() === 100);
  });

  it('says its bounds', async () => {
    const { client } = await start();
    const { payload } = await client.until(kinds.settings);
    const told = new Map<number, number>();
    for (let at = 0; at < payload.length; at += 6)
      told.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    expect(told.get(3)).toBe(100);
    expect(told.get(6)).toBe(32_768);
  });

  it('is refused a head of more than 32 KiB, in one frame or several (A6.14)', async () => {
    const { app, client } = await start();
    client.send(
      get(1, ...Array.from({ length: 3 }, (_, i): [string, string] => [`x-${i}`, 'x'.repeat(5000)])),
    );
    await client.until(kinds.data, 1);
    const nine = Array.from({ length: 9 }, (_, i): [string, string] => [`x-${i}`, 'x'.repeat(4000)]);
    const large = block([...request(), ...nine]);
    client.send(...inFrames(3, large));
    expect(String((await client.until(kinds.data, 3)).payload)).toContain('headers-too-large');
    client.send(frame(kinds.settings, ack, 0), ...inFrames(5, large));
    expect(codeOf(await client.until(kinds.reset, 5))).toBe(calm);
    expect(app.received.join('').match(/GET/g)).toHaveLength(1);
  });

  it('is refused more than 100 headers by a page, however many crumbs Cookie has', async () => {
    const { app, client } = await start();
    const many = (name: string) => Array.from({ length: 120 }, (_, i): [string, string] => [name, `c${i}=1`]);
    client.send(get(1, ...many('cookie')));
    await client.until(kinds.data, 1);
    expect(app.received[0]).toContain('; c119=1\r\n');
    client.send(get(3, ...many('x-many')));
    expect(String((await client.until(kinds.data, 3)).payload)).toContain('too-many-headers');
  });

  it('ends when requests are begun and reset by the hundred (A6.14)', async () => {
    const { edge, client, busy } = await start(() => undefined);
    for (let i = 0; i < 300; i++) client.send(get(2 * i + 1), frame(kinds.reset, 0, 2 * i + 1, uint32(8)));
    await client.closed();
    saysCalm(client);
    expect(edge.counters.refused.get('too-many-resets')).toBe(1);
    await eventually(() => busy() === 0);
  });

  it('goes on when a visitor leaves a page with much under way', async () => {
    const { client, busy } = await start(text => (text.includes('/last') ? ok : undefined));
    for (let i = 0; i < 90; i++) client.send(get(2 * i + 1));
    await eventually(() => busy() === 90);
    for (let i = 0; i < 90; i++) client.send(frame(kinds.reset, 0, 2 * i + 1, uint32(8)));
    await eventually(() => busy() === 0);
    client.send(headers(181, endStream, request('GET', '/last')));
    await client.until(kinds.data, 181);
  });

  it('ends when a head goes on and on in frames (A6.14)', async () => {
    const { app, client } = await start();
    client.send(frame(kinds.headers, endStream, 1, block(request())));
    for (let i = 0; i < 1000; i++) client.send(frame(kinds.continuation, 0, 1));
    await client.closed();
    expect(app.received).toEqual([]);
  });

  it.each([
    ['pings', 'too-many-pings', frame(kinds.ping, 0, 0, '12345678')],
    ['settings', 'too-many-settings', frame(kinds.settings, 0, 0)],
  ])('ends for a flood of %s (A6.14)', async (_what, reason, one) => {
    const { edge, client } = await start();
    for (let i = 0; i < 500; i++) client.send(one);
    await client.closed();
    saysCalm(client);
    expect(edge.counters.refused.get(reason)).toBe(1);
  });

  it('ends for a flood of empty bodies', async () => {
    const { client, busy } = await start(() => undefined);
    client.send(headers(1, 0, request('POST')));
    for (let i = 0; i < 500; i++) client.send(frame(kinds.data, 0, 1));
    await client.closed();
    await eventually(() => busy() === 0);
  });

  it('ends for what is no HTTP/2 at all', async () => {
    const { edge } = await start();
    const client = await openFrames(edge.securePort, false);
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n'));
    await client.closed();
  });

  it.each([
    ['a frame larger than allowed', frame(kinds.data, 0, 1, 'x'.repeat(20_000))],
    ['a stream of its own that is even', get(2)],
    ['data for a stream that is not', frame(kinds.data, 0, 5, 'x')],
  ])('takes no more after %s, and others go on', async (_what, bytes) => {
    const { app, edge, client: other } = await start();
    const client = await openFrames(edge.securePort);
    client.send(bytes, get(1));
    expect(codeOf(await client.until(kinds.goaway))).not.toBe(0);
    expect(app.received).toEqual([]);
    other.send(get(1));
    await other.until(kinds.data, 1);
  });
});

describe('a request over HTTP/2 that would be two in HTTP/1.1, or another', () => {
  const plain = request();
  const without = (name: string) => plain.filter(([each]) => each !== name);
  it.each<[string, [string, string][]]>([
    ['a line end in the path', [...without(':path'), [':path', '/ HTTP/1.1\r\nX: y']]],
    ['a blank in the path', [...without(':path'), [':path', '/ HTTP/1.1']]],
    ['a line end in the method', [...without(':method'), [':method', 'GET / HTTP/1.1\r\nX: y']]],
    ['a blank in the method', [...without(':method'), [':method', 'GET /x']]],
    ['a line end in the authority', [...without(':authority'), [':authority', 'demo.test\r\nX: y']]],
    ['a name in upper case', [...plain, ['X-A', 'b']]],
    ['Transfer-Encoding', [...plain, ['transfer-encoding', 'chunked']]],
    ['Connection', [...plain, ['connection', 'x-forwarded-for']]],
    ['Upgrade', [...plain, ['upgrade', 'websocket']]],
    ['TE other than trailers', [...plain, ['te', 'gzip']]],
    ['a length without a body', [...plain, ['content-length', '5']]],
    ['two lengths', [...plain, ['content-length', '0'], ['content-length', '0']]],
    ['a length that is no number', [...plain, ['content-length', '+0']]],
    ['no path', without(':path')],
    ['an empty path', [...without(':path'), [':path', '']]],
    ['no authority and no Host', without(':authority')],
    ['two paths', [...plain, [':path', '/b']]],
    ['two hosts', [...plain, ['host', 'demo.test'], ['host', 'demo.test']]],
    ['a host beside another authority', [...plain, ['host', 'other.test']]],
    ['a part of the request line after the headers', [...without(':path'), ['x-a', 'b'], [':path', '/']]],
    ['a made-up part of the request line', [[':x', 'y'], ...plain]],
    ['a protocol without a tunnel', [...plain, [':protocol', 'websocket']]],
    ['a status', [...plain, [':status', '200']]],
  ])('is refused: %s', async (_what, pairs) => {
    const { app, client } = await start();
    client.send(headers(1, endStream, pairs));
    await eventually(() => client.frames.some(({ stream }) => stream === 1), 5000);
    const [first] = client.frames.filter(({ stream }) => stream === 1);
    if (first?.type === kinds.reset) expect(codeOf(first)).toBe(protocolError);
    else expect(String((await client.until(kinds.data, 1)).payload)).toMatch(/<title>400 /);
    expect(app.received).toEqual([]);
  });

  it.each<[string, [string, string]]>([
    ['a line end in a value', ['x-a', 'b\r\nContent-Length: 9']],
    ['a line end in a name', ['x-a: b\r\nx', 'c']],
    ['NUL in a value', ['x-a', 'b\0c']],
    ['a colon in a name', ['x:a', 'b']],
    ['a blank before a value', ['x-a', ' b']],
  ])('loses the header with %s', async (_what, pair) => {
    const { app, client } = await start();
    client.send(get(1, pair, ['x-good', 'yes']));
    await client.until(kinds.data, 1);
    expect(app.received[0]).toMatch(
      /^GET \/ HTTP\/1\.1\r\nHost: demo\.test\r\nx-good: yes\r\nX-Forwarded-For: /,
    );
  });

  it.each([
    ['longer', 'x'.repeat(9)],
    ['shorter', 'xx'],
  ])('ends at the app when its body is %s than it said', async (_what, body) => {
    const { app, client, busy } = await start(() => undefined);
    client.send(headers(1, 0, [...request('POST'), ['content-length', '5']]));
    await eventually(() => busy() === 1);
    client.send(frame(kinds.data, endStream, 1, body));
    expect(codeOf(await client.until(kinds.reset, 1))).toBe(protocolError);
    await eventually(() => app.sockets.every(socket => socket.destroyed) && busy() === 0);
  });
});

/** A front of its own, and a client of it; the sockets are plain. */
async function startFront() {
  const asked: Http2Answer[] = [];
  const refused: string[] = [];
  const front = new Http2Front({
    asked: (_req, res) => void asked.push(res),
    refused: reason => refused.push(reason),
  });
  const server = createServer(socket => front.take(socket as TLSSocket, () => true)).listen(0, '127.0.0.1');
  cleanUp(() => void server.close());
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => {});
  cleanUp(() => session.destroy());
  await once(session, 'remoteSettings');
  return { front, session, asked };
}

describe('time over HTTP/2', () => {
  const later = (seconds: number) => performance.now() + seconds * 1000;

  it('of a connection without a request is bounded', async () => {
    const { front, session, asked } = await startFront();
    front.everySecond(later(9));
    const stream = session.request();
    await eventually(() => asked.length === 1);
    front.everySecond(later(3600));
    asked[0]?.writeHead(200, '', []);
    asked[0]?.end('ok');
    expect((await answerOf(stream)).text).toBe('ok');
    front.everySecond(later(70));
    expect(session.closed).toBe(false);
    front.everySecond(later(80));
    await eventually(() => session.destroyed);
  });

  it('of one that never asks is shorter', async () => {
    const { front, session } = await startFront();
    front.everySecond(later(11));
    await eventually(() => session.destroyed);
  });

  it('of an answer that is not read is bounded, and the connection goes on (A6.13d)', async () => {
    const { front, session, asked } = await startFront();
    const unread = session.request();
    unread.on('error', () => {});
    await eventually(() => asked.length === 1);
    asked[0]?.writeHead(200, '', []);
    asked[0]?.write(Buffer.alloc(500_000));
    session.request({ ':path': '/silent' });
    await eventually(() => asked.length === 2);
    const readers = new SlowReaders();
    expect(readers.find(front.answers, later(10))).toEqual([]);
    expect(readers.find(front.answers, later(69))).toEqual([]);
    const over = readers.find(front.answers, later(75));
    expect(over).toEqual([asked[0]]);
    over[0]?.destroy();
    await eventually(() => unread.closed);
    expect(unread.rstCode).toBe(2);
    expect(front.answers).toEqual([asked[1]]);
  });
});

describe('stopping with HTTP/2 connections', () => {
  it('says so, finishes what there is, takes no more, and ends', async () => {
    const { app, edge, client } = await start(() => undefined);
    const session = await openSession(edge.securePort);
    const first = ask(session);
    client.send(get(1));
    await eventually(() => app.received.length === 2);
    const idle = await openSession(edge.securePort);
    const stopped = edge.stop(10_000);
    await eventually(() => idle.destroyed);
    const told = await client.until(kinds.goaway);
    expect([codeOf(told), told.payload.readUInt32BE(0)]).toEqual([0, 1]);
    client.send(get(3));
    for (const socket of app.sockets) socket.write(ok);
    expect((await first).text).toBe('ok');
    await client.until(kinds.data, 1);
    await stopped;
    await client.closed();
    expect(app.received).toHaveLength(2);
    expect(session.destroyed).toBe(true);
  });
});
