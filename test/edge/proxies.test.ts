import { describe, expect, it } from 'vitest';
import { parseAddressList } from '../../src/domain/address-list.ts';
import { frontDoor } from '../../src/edge/front-door.ts';
import { readProxyHeader } from '../../src/edge/proxy-protocol.ts';
import { addressSet, visitorOf } from '../../src/edge/trusted.ts';
import {
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
} from './harness.ts';

const parseTrusted = (text: string) => addressSet(parseAddressList(text, 'trusted proxies'));
const trusted = parseTrusted('127.0.0.0/8, 10.0.0.0/8 2001:db8::/32');

describe('a list of trusted proxies', () => {
  it('takes addresses and ranges', () => {
    const list = parseTrusted(' 10.0.0.0/8,192.0.2.7\n2001:db8::/32 ::1 ');
    const inside = ['10.255.0.1', '192.0.2.7', '2001:db8:5::1', '::1'];
    const outside = ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::2', 'unknown', ''];
    expect([...inside, ...outside].filter(address => list?.has(address))).toEqual(inside);
    expect(parseTrusted(' , ')).toBeUndefined();
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    'proxy.example',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '0x7f.1',
    '10.0.0.0/-1',
  ])('refuses %s by name', word => {
    expect(() => parseTrusted(`192.0.2.1,${word}`)).toThrow(`"${word}" is no address or range`);
  });

  it.each([
    ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
    ['6.6.6.6, 203.0.113.9, 10.1.1.1, 10.2.2.2', '203.0.113.9'],
    ['10.3.3.3, 10.1.1.1', '10.3.3.3'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:DB9::1]:443, 10.1.1.1', '2001:db9::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, unknown', '127.0.0.1'],
    ['203.0.113.9, <script>, 10.1.1.1', '10.1.1.1'],
    ['', '127.0.0.1'],
  ])('tells the visitor in "%s": %s', (chain, visitor) => {
    expect(trusted && visitorOf(chain, '127.0.0.1', trusted)).toBe(visitor);
  });
});

describe('behind a trusted proxy', () => {
  const told =
    'X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.test\r\n' +
    'X-Real-IP: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\nX-Request-Start: 17\r\nX-Forwarded-Ssl: on\r\nX_Forwarded_For: 9.9.9.9\r\n';

  it('its forwarding headers go on, with its own address added (A6.2b)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { proxies: { trusted, proxyProtocol: false } });
    await exchange(edge.port, get('/', told));
    expect(app.received[0]?.split('\r\n').slice(2, -3)).toEqual([
      'X-Forwarded-Ssl: on',
      'X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: www.test',
      'X-Forwarded-Port: 443',
      'X-Request-Start: 17',
      'X-Real-IP: 203.0.113.9',
      'Forwarded: for=203.0.113.9',
    ]);
    expect(edge.logged.at(-1)?.fields['peer']).toBe('203.0.113.9');
  });

  it('what it leaves out is ours', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { proxies: { trusted, proxyProtocol: false } });
    await exchange(edge.port, get());
    expect(app.received[0]).toContain(
      `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: demo.test\r\nX-Forwarded-Port: ${edge.port}\r\n`,
    );
  });

  it('nobody else is believed (A6.2b)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const proxies = { trusted: parseTrusted('10.0.0.0/8'), proxyProtocol: true };
    const edge = await startTestEdge(demo(app.port), { proxies });
    await exchange(edge.port, get('/', told));
    expect(app.received[0]).not.toMatch(/6\.6\.6\.6|203\.0|https|www|: 17\r/);
    expect(await exchange(edge.port, `PROXY TCP4 6.6.6.6 6.6.6.6 1 2\r\n${get()}`)).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });
});

const v2 = (command: number, family: number, rest: Buffer) =>
  Buffer.concat([
    Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
    Buffer.from([0x20 | command, family, rest.length >> 8, rest.length & 255]),
    rest,
  ]);
const tcp4 = Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0x12, 0x67, 0x01, 0xbb]);
const tls = Buffer.from([0x04, 0, 2, 1, 2, 0x20, 0, 5, 1, 0, 0, 0, 0]);

describe('a PROXY header', () => {
  it.each<[string, Buffer, unknown]>([
    [
      'version 1 for IPv4',
      Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\nGET'),
      { size: 43, origin: { address: '203.0.113.9', port: 443, tls: false } },
    ],
    [
      'version 1 for IPv6',
      Buffer.from('PROXY TCP6 2001:db8::9 2001:db8::1 4711 80\r\n'),
      { size: 44, origin: { address: '2001:db8::9', port: 80, tls: false } },
    ],
    ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), { size: 15, origin: undefined }],
    ['version 1, not whole', Buffer.from('PROXY TCP4 203.0'), 'more'],
    ['one byte', Buffer.from('P'), 'more'],
    ['version 1 without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), 'bad'],
    ['version 1 with a wrong family', Buffer.from('PROXY TCP6 203.0.113.9 192.0.2.1 1 2\r\n'), 'bad'],
    ['version 1 with a wrong port', Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 1 65536\r\n'), 'bad'],
    ['version 1 with two spaces', Buffer.from('PROXY TCP4  203.0.113.9 192.0.2.1 1 2\r\n'), 'bad'],
    ['a request', Buffer.from('GET / HTTP/1.1\r\n'), 'bad'],
    [
      'version 2 for IPv4',
      v2(1, 0x11, tcp4),
      { size: 28, origin: { address: '203.0.113.9', port: 443, tls: false } },
    ],
    [
      'version 2 with TLS and fields',
      v2(1, 0x11, Buffer.concat([tcp4, tls])),
      { size: 41, origin: { address: '203.0.113.9', port: 443, tls: true } },
    ],
    [
      'version 2 for IPv6',
      v2(1, 0x21, Buffer.from(`20010db8${'00'.repeat(11)}09${'00'.repeat(16)}00010050`, 'hex')),
      { size: 52, origin: { address: '2001:db8::9', port: 80, tls: false } },
    ],
    ['version 2, local', v2(0, 0, Buffer.alloc(0)), { size: 16, origin: undefined }],
    ['version 2, unix socket', v2(1, 0x31, Buffer.alloc(216)), { size: 232, origin: undefined }],
    ['version 2, too short for its family', v2(1, 0x11, Buffer.alloc(4)), 'bad'],
    ['version 2 of 60 KiB', v2(1, 0x11, Buffer.alloc(60_000)), 'bad'],
    ['version 3', Buffer.from('\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0', 'latin1'), 'bad'],
    ['version 2, not whole', v2(1, 0x11, tcp4).subarray(0, 20), 'more'],
    [
      'a field longer than what came',
      v2(1, 0x11, Buffer.concat([tcp4, Buffer.from([0x20, 255, 255])])),
      { size: 31, origin: { address: '203.0.113.9', port: 443, tls: false } },
    ],
  ])('%s', (_name, bytes, expected) => {
    expect(readProxyHeader(bytes)).toEqual(expected);
  });

  it('tells the app the visitor, for all requests of its connection, however it is cut (A6.18a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { proxies: { trusted, proxyProtocol: true } });
    for (const header of [
      Buffer.from('PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'),
      v2(1, 0x11, Buffer.concat([tcp4, tls])),
    ])
      for (const cut of [1, 7, header.length, header.length + 5, 1000]) {
        const client = await openClient(edge.port);
        const bytes = Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n')]);
        client.socket.write(bytes.subarray(0, cut));
        await pause(10);
        client.socket.write(bytes.subarray(cut));
        await client.until('ok');
        client.send(get('/last', 'X-Forwarded-For: 6.6.6.6\r\n'));
        await client.closed();
      }
    const got = app.received.join('');
    expect(got.match(/X-Forwarded-For: 203\.0\.113\.9\r\n/g)?.length).toBe(20);
    expect(got.match(/X-Forwarded-Port: 443\r\n/g)?.length).toBe(20);
    expect(got.match(/X-Forwarded-Proto: https\r\n/g)?.length).toBe(10);
    expect(got).not.toContain('6.6.6.6');
  });

  it('of a balancer that asks for itself is taken', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { proxies: { trusted, proxyProtocol: true } });
    expect(await exchange(edge.port, `PROXY UNKNOWN\r\n${get()}`)).toContain('200 OK');
    expect(app.received[0]).toContain('X-Forwarded-For: 127.0.0.1\r\n');
  });

  it('that is missing or wrong closes the connection, counted (A6.18a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port), { proxies: { trusted, proxyProtocol: true } });
    for (const bytes of [get(), 'PROXY TCP4 x y 1 2\r\n', '\r\n\r\n\0\r\nQUIT\n\x99\0\0\0'])
      expect(await exchange(edge.port, bytes)).toBe('');
    expect(edge.counters.refused.get('bad-proxy-header')).toBe(3);
    const silent = await openClient(edge.port);
    silent.send('PROX');
    await eventually(() => edge.counters.refused.get('bad-proxy-header') === 4);
    expect(await silent.closed()).toBe('');
    expect(app.received).toEqual([]);
  }, 15_000);

  it('counts connections by the visitor it names', async () => {
    const app = await startRawApp(() => {});
    const limits = { total: 100, perAddress: 2 };
    const edge = await startTestEdge(demo(app.port), { limits, proxies: { trusted, proxyProtocol: true } });
    const open = async (address: string) => {
      const client = await openClient(edge.port);
      client.send(`PROXY TCP4 ${address} 192.0.2.1 1 80\r\n${get()}`);
      return client;
    };
    await open('203.0.113.9');
    await open('203.0.113.9');
    await open('203.0.113.10');
    await eventually(() => app.received.join('').match(/GET/g)?.length === 3);
    expect(await (await open('203.0.113.9')).closed()).toBe('');
    expect(edge.counters.refused.get('too-many-from-address')).toBe(1);
  });
});

describe('proxies that are told later', () => {
  it('are believed from the next connection on, and no more when they are taken back', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    const header = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n';
    expect(await exchange(edge.port, header + get())).toMatch(/^HTTP\/1\.1 400 /);
    edge.server.follow(frontDoor({ trustedProxies: ['127.0.0.1'], proxyProtocol: true }));
    expect(await exchange(edge.port, header + get())).toContain('200 OK');
    edge.server.follow(frontDoor());
    expect(await exchange(edge.port, header + get())).toMatch(/^HTTP\/1\.1 400 /);
    expect(app.received.join('')).toContain('X-Forwarded-For: 203.0.113.9\r\n');
  });

  it('leave the connections that there are, beyond a limit that came later', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    const first = await openClient(edge.port);
    first.send(get().replace('Connection: close\r\n', ''));
    await first.until('ok');
    edge.server.follow(frontDoor({ connections: 1 }));
    first.send(get('/again'));
    await first.closed();
    expect(app.received.join('')).toContain('/again');
  });
});
