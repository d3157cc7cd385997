// Random bytes against the edge. The seed is printed; WHERRY_FUZZ_SEED repeats a run, WHERRY_FUZZ_SECONDS makes it longer.
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { fuzzSeed, mulberry } from '../support/random.ts';
import { demo, eventually, exchange, get, ok, pause, startRawApp, startTestEdge } from './harness.ts';

const seed = fuzzSeed();
const seconds = Number(process.env['WHERRY_FUZZ_SECONDS'] ?? 3);

const bases = [
  'GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 5\r\n\r\nhello',
  'POST /b HTTP/1.1\r\nHost: demo.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n',
  'GET http://demo.test/abs HTTP/1.1\r\nHost: demo.test\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n',
  'PUT /e HTTP/1.1\r\nHost: demo.test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
  'GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n',
];
const spices = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    '\x7f',
    '\xff',
    '%00',
    '0',
    'ffffffffffffffff',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding:\x0bchunked\r\n',
    'Content-Length: -1\r\n',
  ],
  ...[
    'Host: demo.test\r\n',
    'Connection: Transfer-Encoding\r\n',
    'GET / HTTP/1.1\r\n',
    ' HTTP/1.0',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  ...[
    'CONNECT demo.test:1 HTTP/1.1\r\n',
    'TRACE',
    'X: 1\r\n 2\r\n',
    '1;ext="\n"\r\n',
    `X: ${'y'.repeat(17_000)}\r\n`,
  ],
];

it(`bytes of any kind harm nobody (seed ${seed}, ${seconds} s)`, {
  timeout: seconds * 1000 + 60_000,
}, async () => {
  const random = mulberry(seed);
  const app = await startRawApp((socket, text) => text.includes('\r\n\r\n') && socket.write(ok));
  const edge = await startTestEdge(demo(app.port));
  const end = Date.now() + seconds * 1000;
  let rounds = 0;
  while (Date.now() < end) {
    await Promise.all(Array.from({ length: 16 }, () => attack(edge.port, mutated(random), random)));
    rounds += 16;
    if (rounds % 160 === 0) expect(await exchange(edge.port, get('/alive'))).toContain('200 OK');
  }
  expect(await exchange(edge.port, get('/alive'))).toContain('200 OK');
  for (const text of app.received) if (text !== '') checkSeen(text);
  const pool = edge.targets.pools.get(`demo-${app.port}`);
  await eventually(() => pool?.inFlight === 0);
  expect(rounds).toBeGreaterThan(50);
  expect(edge.logged.filter(line => line.message.includes('fault'))).toEqual([]);
});

/** Whatever reached the app must begin with a strict head, in which no two lengths and no bare line end is. */
function checkSeen(text: string): void {
  const head = text.split('\r\n\r\n')[0] ?? '';
  const shown = JSON.stringify(head.slice(0, 2000));
  expect(head, shown).toMatch(/^[A-Z-]+ \S+ HTTP\/1\.1\r\n/);
  expect(head.replaceAll('\r\n', ''), shown).not.toMatch(/[\r\n\0]/);
  for (const line of head.split('\r\n').slice(1)) expect(line, shown).toMatch(/^[\w!#$%&'*+.^`|~-]+: ?/);
  const framing = head.match(/^(?:content-length|transfer-encoding):/gim) ?? [];
  expect(framing.length, shown).toBeLessThan(2);
  expect(head.match(/^host:/gim)?.length, shown).toBe(1);
  expect(head, shown).not.toMatch(/^expect:/im);
}

function mutated(random: () => number): Buffer {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  let text = pick(bases);
  if (random() < 0.2) text += pick(bases);
  for (let n = Math.floor(random() * 5); n > 0; n--) {
    const at = Math.floor(random() * text.length);
    const width = Math.floor(random() * 6);
    const kind = random();
    if (kind < 0.5) text = text.slice(0, at) + pick(spices) + text.slice(at);
    else if (kind < 0.7) text = text.slice(0, at) + text.slice(at + width);
    else if (kind < 0.9)
      text = text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    else text = text.slice(0, at) + text.slice(at, at + 30).repeat(2) + text.slice(at + 30);
  }
  return Buffer.from(text, 'latin1');
}

/** Sends the bytes in pieces, waits a moment, and leaves by one of the ways there are. */
async function attack(port: number, bytes: Buffer, random: () => number): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
  socket.resume();
  let rest = bytes;
  while (rest.length > 0) {
    const size = random() < 0.6 ? rest.length : 1 + Math.floor(random() * rest.length);
    socket.write(rest.subarray(0, size));
    rest = rest.subarray(size);
    if (random() < 0.2) await pause(1);
  }
  await pause(random() * 15);
  if (random() < 0.4) socket.resetAndDestroy();
  else socket.destroy();
}
