import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/edge/response-head.ts';
import { ResponseReader } from '../../src/edge/response-reader.ts';

type Heard = { statuses: number[]; body: string; trailers: readonly string[]; ends: number };

function reader(method = 'GET', upgrade = false) {
  const heard: Heard = { statuses: [], body: '', trailers: [], ends: 0 };
  const made = new ResponseReader({
    head: head => void heard.statuses.push(head.status),
    data: piece => {
      heard.body += piece.toString('latin1');
    },
    end: trailers => {
      heard.trailers = trailers;
      heard.ends++;
    },
  });
  made.begin({ method, upgrade });
  return { made, heard };
}

function readAll(text: string, size: number, method = 'GET') {
  const { made, heard } = reader(method);
  for (let at = 0; at < text.length; at += size) made.read(Buffer.from(text.slice(at, at + size), 'latin1'));
  return { made, heard };
}

const answers: [string, string, Heard & { reusable: boolean }][] = [
  [
    'a body of known length',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    { statuses: [200], body: 'hello', trailers: [], ends: 1, reusable: true },
  ],
  [
    'chunks with extensions and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\nA \r\n0123456789\r\n000\r\nX-A: 1\r\nX-B:2\r\n\r\n',
    { statuses: [200], body: 'abc0123456789', trailers: ['X-A', '1', 'X-B', '2'], ends: 1, reusable: true },
  ],
  [
    'interim answers first',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
    { statuses: [100, 103, 204], body: '', trailers: [], ends: 1, reusable: true },
  ],
  [
    'no reason phrase',
    'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
    { statuses: [200], body: '', trailers: [], ends: 1, reusable: true },
  ],
  [
    'a connection that the app closes',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: foo, Close\r\n\r\nx',
    { statuses: [200], body: 'x', trailers: [], ends: 1, reusable: false },
  ],
  [
    'both lengths: chunks count, and the connection is not used again',
    'HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    { statuses: [200], body: 'x', trailers: [], ends: 1, reusable: false },
  ],
  [
    'HTTP/1.0',
    'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx',
    { statuses: [200], body: 'x', trailers: [], ends: 1, reusable: false },
  ],
];

describe('the response reader', () => {
  it.each(answers)('reads %s, however the bytes are cut', (_name, text, { reusable, ...expected }) => {
    for (let size = 1; size <= text.length; size++) {
      const { made, heard } = readAll(text, size);
      expect([size, heard]).toEqual([size, expected]);
      expect(made.reusable).toBe(reusable);
      expect(made.busy).toBe(false);
    }
  });

  it('does not use a connection again on which more came than was asked for', () => {
    const { made } = readAll('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n', 1000);
    expect(made.reusable).toBe(false);
    expect(() => made.read(Buffer.from('more'))).toThrow(ProtocolError);
  });

  it('reads no body after a HEAD', () => {
    const { made, heard } = readAll('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 1000, 'HEAD');
    expect([heard.ends, made.reusable]).toEqual([1, true]);
  });

  it('ends a body without length when the app closes, and no other', () => {
    const open = readAll('HTTP/1.1 200 OK\r\n\r\nhello', 7);
    expect([open.made.finish(), open.heard.ends, open.heard.body]).toEqual([true, 1, 'hello']);
    expect(readAll('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello', 7).made.finish()).toBe(false);
  });

  it('keeps the first bytes of a tunnel apart', () => {
    const { made, heard } = reader('GET', true);
    made.read(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nfirst'));
    expect([heard.statuses, made.rest.toString()]).toEqual([[101], 'first']);
  });

  it.each([
    ['HTTP/2 200\r\n\r\n'],
    ['HTTP/1.1 99 X\r\n\r\n'],
    ['HTTP/1.1  200 X\r\n\r\n'],
    ['HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n'],
    ['HTTP/1.1 200 O\0K\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA\x01: 1\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nA : 1\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\n: 1\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n'],
    [`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}`],
  ])('refuses %j', text => {
    expect(() => readAll(text, 4096)).toThrow(ProtocolError);
  });
});
