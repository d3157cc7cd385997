// Random frames against the edge, from visitors and from apps. The seed is printed; WHERRY_FUZZ_SEED repeats a run,
// WHERRY_FUZZ_SECONDS makes it longer.
import { expect, it } from 'vitest';
import { fuzzSeed, mulberry } from '../support/random.ts';
import { demo, demoWith, eventually, ok, startRawApp } from './harness.ts';
import { block, frame, kinds, openFrames, request } from './http2-frames.ts';
import { ask, openSession, startSecureEdge } from './http2-harness.ts';

const seed = fuzzSeed();
const seconds = Number(process.env['WHERRY_FUZZ_SECONDS'] ?? 2);
const random = mulberry(seed);
const below = (limit: number) => Math.floor(random() * limit);
const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;

const blocks = [
  block(request()),
  block(request('POST', '/a')),
  block([...request('POST'), ['content-length', '3']]),
  block([...request('HEAD')]),
  block([...request('PUT'), ['expect', '100-continue']]),
  block([
    [':method', 'CONNECT'],
    [':authority', 'demo.test:1'],
  ]),
  block([['x-trailer', 'y']]),
  block([
    [':status', '200'],
    ['x-a', 'b'],
  ]),
  block([
    [':status', '103'],
    ['link', '</a>'],
  ]),
  Buffer.of(0x88),
  Buffer.of(0x3f, 0xff, 0xff, 0xff, 0xff, 0x0f),
];

/** Mostly what could be meant, now and then not. */
function someFrame(last: number): Buffer {
  const type = random() < 0.9 ? pick([0, 0, 1, 1, 1, 3, 4, 6, 8, 9]) : below(256);
  const stream = random() < 0.9 ? 1 + 2 * below(last) : below(2 ** 31);
  const payload =
    random() < 0.8 && (type === kinds.headers || type === kinds.continuation)
      ? pick(blocks)
      : someBytes(type);
  return frame(
    type,
    random() < 0.8 ? pick([0, 1, 4, 5, 5]) : below(256),
    type === 4 || type === 6 ? 0 : stream,
    payload,
  );
}

function someBytes(type: number): Buffer {
  const usual: Readonly<Record<number, number>> = { 3: 4, 4: 6, 6: 8, 8: 4 };
  const size = random() < 0.9 ? (usual[type] ?? below(20)) : below(300);
  return Buffer.from(Array.from({ length: size }, () => (random() < 0.5 ? 0 : below(256))));
}

function someFrames(): Buffer {
  return Buffer.concat(Array.from({ length: 1 + below(30) }, (_, i) => someFrame(i + 1)));
}

const harmed = (edge: { readonly logged: { readonly message: string }[] }) =>
  edge.logged.filter(({ message }) => message.includes('fault'));

it(`frames of visitors harm nobody (seed ${seed}, ${seconds} s)`, {
  timeout: seconds * 1000 + 60_000,
}, async () => {
  const app = await startRawApp((socket, text) => {
    if (text.includes('\r\n\r\n')) socket.write(ok);
  });
  const edge = await startSecureEdge(demo(app.port));
  const end = Date.now() + seconds * 1000;
  for (let runs = 0; Date.now() < end || runs === 0; runs++) {
    const client = await openFrames(edge.securePort, random() < 0.95);
    for (let i = below(4); i >= 0; i--) client.send(someFrames());
    if (random() < 0.5)
      await Promise.race([client.until(kinds.goaway), client.until(kinds.data)]).catch(() => {});
    client.destroy();
  }
  await eventually(() => edge.counters.of('demo').usage.inFlight === 0);
  expect(harmed(edge)).toEqual([]);
  expect((await ask(await openSession(edge.securePort))).text).toBe('ok');
});

it(`frames of apps harm nobody (seed ${seed}, ${seconds} s)`, {
  timeout: seconds * 1000 + 60_000,
}, async () => {
  const app = await startRawApp(socket => {
    socket.write(frame(kinds.settings, 0, 0));
    socket.write(someFrames());
    if (random() < 0.7) socket.end();
    else socket.destroy();
  });
  const edge = await startSecureEdge(demoWith({ h2c: true, responseTimeout: 1000 }, app.port));
  const end = Date.now() + seconds * 1000;
  for (let runs = 0; Date.now() < end || runs === 0; runs++) {
    const session = await openSession(edge.securePort);
    const calls = Array.from({ length: 5 }, () =>
      ask(session, { ':method': pick(['GET', 'POST', 'HEAD']) }, 'abc'),
    );
    // An answer that began may never end: a visitor waits no longer than for any app.
    const leave = setTimeout(() => session.destroy(), 5000);
    for (const { status, code } of await Promise.all(calls)) if (code === 0) expect(status).toBeDefined();
    clearTimeout(leave);
    session.destroy();
  }
  await eventually(() => edge.counters.of('demo').usage.inFlight === 0);
  expect(harmed(edge)).toEqual([]);
});
