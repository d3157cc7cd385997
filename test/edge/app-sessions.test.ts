import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { AppSessions } from '../../src/edge/app-sessions.ts';
import type { ConnectionUser } from '../../src/edge/connection.ts';
import type { Forwarding, RequestHead } from '../../src/edge/request-head.ts';
import type { Upstream } from '../../src/edge/upstream.ts';
import { cleanUp, pause, startRawApp } from './harness.ts';
import { block, endHeaders, frame, kinds } from './http2-frames.ts';

afterEach(() => void vi.useRealTimers());

const minute = 60_000;

it('ends the requests of an app that broke HTTP/2 in the middle of an answer and is gone', async () => {
  const app = await startRawApp(async socket => {
    socket.removeAllListeners('data').resume();
    socket.write(frame(kinds.settings, 0, 0));
    await pause(100);
    socket.write(frame(kinds.headers, endHeaders, 1, block([[':status', '200']])));
    // A length that no decoder takes.
    socket.end(frame(kinds.headers, endHeaders, 1, Buffer.of(0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f)));
  });
  const { sessions, user } = await beginAt(app.port);
  await pause(200);
  expect(user.lost).not.toHaveBeenCalled();

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  sessions.sweep(performance.now() + 5 * minute);
  vi.advanceTimersByTime(2 * minute);
  await new Promise(setImmediate);
  expect(user.lost).not.toHaveBeenCalled();
  sessions.sweep(performance.now() + 6 * minute);
  vi.advanceTimersByTime(minute);
  await vi.waitFor(() => expect(user.lost).toHaveBeenCalledOnce());
});

it('leaves those alone whose app answers the ping, however long they take', async () => {
  const server = createServer();
  const pinged = vi.fn();
  server.on('session', session => void session.on('ping', pinged));
  server.on('stream', stream => stream.on('error', () => {}).respond({ ':status': 200 }));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { sessions, user, upstream } = await beginAt((server.address() as AddressInfo).port);
  cleanUp(() => void server.close());

  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  for (let at = 6; at < 60; at += 6) {
    sessions.sweep(performance.now() + at * minute);
    await vi.waitFor(() => expect(pinged).toHaveBeenCalledTimes(at / 6));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    vi.advanceTimersByTime(minute);
  }
  await new Promise(setImmediate);
  expect(user.lost).not.toHaveBeenCalled();
  upstream.destroy();
});

const request: RequestHead = {
  method: 'GET',
  target: '/',
  host: 'demo.test',
  authority: 'demo.test',
  lines: '',
  framing: { kind: 'none' },
  requestId: undefined,
  upgrade: undefined,
  acceptsTrailers: false,
  told: undefined,
};
const forwarding: Forwarding = {
  visitor: { peer: '127.0.0.1', client: '127.0.0.1', scheme: 'http', port: 80 },
  requestId: 'one',
  startedAt: 0,
};

/** A GET whose answer has begun. */
async function beginAt(port: number) {
  const sessions = new AppSessions({ id: 'demo.web.1', host: '127.0.0.1', port });
  cleanUp(() => sessions.close());
  const upstreams: Upstream[] = [];
  const user = {
    ready: vi.fn((upstream: Upstream) => {
      upstreams.push(upstream);
      upstream.begin(request, forwarding);
    }),
    head: vi.fn(),
    data: vi.fn(),
    end: vi.fn(),
    settled: vi.fn(),
    drain: vi.fn(),
    lost: vi.fn(),
  } satisfies ConnectionUser;
  sessions.serve(user);
  await vi.waitFor(() => expect(user.head).toHaveBeenCalledOnce());
  return { sessions, user, upstream: upstreams[0] as Upstream };
}
