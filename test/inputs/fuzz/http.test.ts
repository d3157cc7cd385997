import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { readHello } from '../../../src/edge/challenge-front.ts';
import { parseHost } from '../../../src/edge/host.ts';
import type { Inbound } from '../../../src/edge/protocols.ts';
import { readProxyHeader } from '../../../src/edge/proxy-protocol.ts';
import { readRequestHead, renderRequestHead } from '../../../src/edge/request-head.ts';
import { ProtocolError, readResponseHead, readTrailers } from '../../../src/edge/response-head.ts';
import { parseSnapshot } from '../../../src/edge/snapshot-file.ts';
import { addressSet, visitorOf } from '../../../src/edge/trusted.ts';
import { always, hostileText } from './property.ts';

const hosts = [
  'a.test',
  'A.test',
  ':80',
  ':99999',
  '.',
  '..',
  '[::1]',
  '127.0.0.1',
  '_',
  '-',
  '@',
  '/',
  ' ',
  '\t',
  '%',
  'xn--',
];
const names = [
  'Host',
  'host',
  'Connection',
  'Content-Length',
  'Transfer-Encoding',
  'TE',
  'Upgrade',
  'Expect',
  'X-Forwarded-For',
].concat([
  'x_forwarded_for',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'Forwarded',
  'X-Real-IP',
  'X-Request-ID',
  'X-Request-Start',
  'Cookie',
  'X',
]);
const value = fc.oneof(
  fc.constantFrom(
    'a.test',
    'close',
    'keep-alive',
    'upgrade',
    'websocket',
    'chunked',
    '3',
    '0',
    '-1',
    '1e3',
    'trailers',
    'Host, X',
    '',
  ),
  // What Node lets through as a header.
  hostileText([...hosts, ',', ';', '"', '='], 500).map(text => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')),
);
const target = fc.oneof(
  fc.constantFrom(
    '/',
    '*',
    '//',
    '/../..',
    '/%2e%2e/%00',
    'http://a.test',
    'http://b.test/x?y',
    'https://u@a.test/',
    'a.test:443',
    '',
  ),
  hostileText(['/', '?', '#', '%00', '..', 'http://', 'a.test', '@', '*'], 10_000).map(text =>
    text.replace(/[^\x21-\x7e\x80-\xff]/g, ''),
  ),
);
const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'OPTIONS', 'DELETE', 'HEAD', 'CONNECT'),
  url: target,
  headers: fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 12 }),
  minor: fc.constantFrom(0, 1),
  trusted: fc.boolean(),
});

describe('the head of a request', () => {
  always('is refused, or goes on with one Host, one framing and the edge’s own words on the visitor', {
    of: request,
    corpus: 'request-heads',
    holds: ({ method, url, headers, minor, trusted }) => {
      const inbound = {
        ...{ method, url, rawHeaders: [['Host', 'a.test'], ...headers].flat() },
        ...{ httpVersionMajor: 1, httpVersionMinor: minor },
      };
      const head = readRequestHead(inbound as unknown as Inbound, trusted);
      if ('status' in head) {
        expect([400, 414, 431, 501, 505]).toContain(head.status);
        return;
      }
      const visitor = { peer: '192.0.2.1', client: '192.0.2.1', scheme: 'http', port: 80 } as const;
      const text = renderRequestHead(head, { visitor, requestId: 'id-of-ours', startedAt: 0 });
      expect(text.endsWith('\r\n\r\n')).toBe(true);
      const [first = '', ...lines] = text.slice(0, -4).split('\r\n');
      expect(first).toMatch(/^[A-Z]+ \S+ HTTP\/1\.1$/);
      const of = (name: string) => lines.filter(line => line.toLowerCase().startsWith(`${name}:`));
      for (const once of ['host', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto'])
        expect(of(once), once).toHaveLength(1);
      expect(of('content-length').length + of('transfer-encoding').length).toBeLessThan(2);
      if (!trusted) expect(of('x-forwarded-for')).toEqual(['X-Forwarded-For: 192.0.2.1']);
      expect(of('forwarded').length + of('x-real-ip').length === 0 || trusted).toBe(true);
      for (const end of ['expect', 'keep-alive', 'proxy-authorization', 'x_forwarded_for'])
        expect(of(end), end).toEqual([]);
    },
  });

  always('names a host that is itself the next time, or none', {
    of: hostileText(hosts, 2000),
    holds: text => {
      const host = parseHost(text);
      if (host === undefined) return;
      expect(host).toMatch(/^[a-z0-9_.:[\]-]{1,260}$/);
      expect(parseHost(host)).toBe(host);
    },
  });

  always('tells a visitor that is an address', {
    of: fc.tuple(
      hostileText(
        ['192.0.2.7', '10.0.0.1', ', ', ',', ' ', '[::1]', ':1', '::ffff:1.2.3.4', 'unknown', '_x'],
        5000,
      ),
      fc.ipV4(),
    ),
    holds: ([chain, peer]) => {
      const trusted = addressSet(['10.0.0.0/8', '::1']);
      if (trusted) expect(visitorOf(chain, peer, trusted)).toMatch(/^[0-9a-f.:]+$/);
    },
  });
});

describe('the head of an answer', () => {
  always('is refused as no HTTP, or is read', {
    of: hostileText([
      ...[
        'HTTP/1.1 200 OK',
        'HTTP/1.0 204',
        'HTTP/1.1 999',
        '\r\n',
        '\n',
        '\r',
        'Content-Length: ',
        'Transfer-Encoding: chunked',
        'Connection: ',
      ],
      ...[
        'close',
        'keep-alive, timeout=',
        '5',
        '-1',
        '99999999999999999999',
        'Trailer: x',
        'Upgrade: h2c',
        ':',
        ' ',
        '\0',
        'X',
      ],
    ]),
    corpus: 'response-heads',
    holds: text => {
      for (const read of [() => readResponseHead(text, 'GET'), () => readTrailers(text)])
        try {
          read();
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
    },
  });
});

describe('the first bytes of a connection', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map(each => Buffer.from(each)),
    fc
      .uint8Array({ maxLength: 100 })
      .map(each => Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'), each])),
    fc.uint8Array({ maxLength: 300 }).map(each => Buffer.concat([Buffer.from([0x16, 3, 1]), each])),
    hostileText(
      ['PROXY ', 'TCP4 ', 'TCP6 ', 'UNKNOWN', '192.0.2.1 ', '::1 ', '80', '65536', ' ', '\r\n'],
      300,
    ).map(text => Buffer.from(text)),
  );

  always('are read as what they are, whatever they are', {
    of: bytes,
    holds: given => {
      readHello(given);
      const read = readProxyHeader(given);
      expect(typeof read === 'string' ? ['more', 'bad'] : [typeof read]).toContain(
        typeof read === 'string' ? read : 'object',
      );
    },
  });
});

describe('the routes on disk', () => {
  always('are read, or are none', {
    of: fc.oneof(
      fc.jsonValue({ maxDepth: 5 }),
      fc.record(
        {
          version: fc.nat(3),
          routes: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }),
          certificates: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    ),
    holds: value => void parseSnapshot(value),
  });
});
