import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { limitByAddress } from '../../src/api/crowd.ts';
import { createTcpApi, type TcpOptions } from '../../src/api/tcp.ts';
import { parseAppName } from '../../src/domain/names.ts';
import { silentLog } from '../../src/system/log.ts';
import { createBench } from '../commands/support.ts';
import { createAuthority } from '../support/certificates.ts';
import { until } from '../support/until.ts';
import { ask, servicesOf, type Target } from './support.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const token = 'a-token-of-ann';
const bearer = { authorization: `Bearer ${token}` };

/** The API on a free port of loopback, where Ann has a token. */
async function startTcp(options: Partial<TcpOptions> = {}) {
  const bench = createBench();
  let ticks = 0;
  const { dispatch: _, ...services } = servicesOf(bench);
  bench.store.people.ensure('ann', new Date());
  bench.store.people.grant('ann', 'owner');
  const api = createTcpApi({
    ...services,
    address: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    plain: false,
    refused: () => {},
    authenticate: given =>
      given === token ? { name: 'ann', token: 'ci', scope: { role: undefined, apps: undefined } } : undefined,
    log: silentLog,
    ticks: () => ticks,
    ...options,
  });
  const port = await api.listen();
  closing.push(api.close);
  const target: Target = { host: '127.0.0.1', port };
  const get = (path: string, headers: Record<string, string> = bearer) => ask(target, { path, headers });
  return {
    bench,
    api,
    target,
    get,
    pass: (ms: number) => {
      ticks += ms;
    },
  };
}

describe('the API on TCP', () => {
  it('answers who has a token, by the name and rights of its user', async () => {
    const { bench, target, get } = await startTcp();
    const headers = { ...bearer, 'content-type': 'application/json' };
    const made = await ask(target, {
      method: 'POST',
      path: '/v1/apps/create',
      body: { app: 'blog' },
      headers,
    });
    expect(made.status).toBe(200);
    expect(bench.logged).toContainEqual(
      expect.objectContaining({ actor: 'ann', via: 'api', command: 'apps:create', result: 'ok' }),
    );
    bench.store.people.revoke('ann');
    expect((await get('/v1/urls?app=blog')).status).toBe(404);
    bench.store.people.grant('ann', 'viewer', bench.store.apps.get(parseAppName('blog')));
    expect((await get('/v1/urls?app=blog')).status).toBe(200);
    expect((await get('/v1/apps/list')).text).toBe('["blog"]\n');
    const refused = { method: 'POST', path: '/v1/apps/destroy', body: { app: 'blog', force: true }, headers };
    expect((await ask(target, refused)).status).toBe(403);
  });

  it('narrows rights to the scope of the token', async () => {
    const scope = { role: 'viewer' as const, apps: [parseAppName('blog')] };
    const { bench, get } = await startTcp({ authenticate: () => ({ name: 'ann', token: 'ci', scope }) });
    await bench.run('apps:create', 'blog');
    await bench.run('apps:create', 'shop');
    expect((await get('/v1/urls?app=blog')).status).toBe(200);
    expect((await get('/v1/urls?app=shop')).status).toBe(404);
    expect((await get('/v1/apps/list')).text).toBe('["blog"]\n');
  });

  it.each<[string, Record<string, string>]>([
    ['without a token', {}],
    ['with a wrong one', { authorization: 'Bearer wrong' }],
    ['with an empty one', { authorization: 'Bearer ' }],
    ['with Basic', { authorization: `Basic ${Buffer.from(`ann:${token}`).toString('base64')}` }],
    ['with the token alone', { authorization: token }],
    ['with two tokens', { authorization: `Bearer ${token}, Bearer ${token}` }],
    ['with more behind it', { authorization: `Bearer ${token} x` }],
    ['with a cookie', { cookie: `token=${token}` }],
    ['with a long one', { authorization: `Bearer ${'x'.repeat(5000)}` }],
  ])('is 401 %s, wherever it asks', async (_how, headers) => {
    const { get } = await startTcp();
    for (const path of [
      '/v1/apps/list',
      '/openapi.json',
      '/v1/commands',
      '/',
      `/v1/apps/list?token=${token}`,
    ]) {
      const { status, headers: answered, text } = await get(path, headers);
      expect([status, answered['www-authenticate'], answered.connection]).toEqual([
        401,
        'Bearer realm="wherry"',
        'close',
      ]);
      expect(JSON.parse(text)).toMatchObject({ code: 'unauthenticated', status: 401 });
      expect(text).not.toContain(token);
    }
  });

  it('is told of, with the token if one came', async () => {
    const told: unknown[] = [];
    const { get } = await startTcp({ refused: (...what) => void told.push(what) });
    await get('/v1/version', { authorization: 'Bearer wrong' });
    await get('/v1/version', {});
    await get('/v1/version');
    expect(told).toEqual([
      ['127.0.0.1', 'wrong'],
      ['127.0.0.1', undefined],
    ]);
  });

  it('is 401 with two headers', async () => {
    const { target } = await startTcp();
    const answer = await raw(
      target,
      `GET /v1/version HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer x\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('takes no more than some wrong tokens from an address, and after a while again', async () => {
    const { get, pass } = await startTcp();
    const wrong = { authorization: 'Bearer wrong' };
    for (let count = 0; count < 10; count += 1) expect((await get('/v1/version', wrong)).status).toBe(401);
    const { status, headers, text } = await get('/v1/version');
    expect([status, headers['retry-after'], JSON.parse(text).code]).toEqual([429, '6', 'too-many']);
    pass(6_001);
    expect((await get('/v1/version')).status).toBe(200);
    expect((await get('/v1/version', wrong)).status).toBe(401);
    expect((await get('/v1/version')).status).toBe(429);
  });

  it('has nothing for words of the local client', async () => {
    const { target } = await startTcp();
    const headers = bearer;
    const answer = await ask(target, {
      method: 'POST',
      path: '/v1/exec',
      body: { words: ['version'] },
      headers,
    });
    expect(answer.status).toBe(404);
  });

  it('allows no other origin', async () => {
    const { target, get } = await startTcp();
    const headers = { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' };
    const preflight = await ask(target, { method: 'OPTIONS', path: '/v1/apps/list', headers });
    const plain = await get('/v1/apps/list', { ...bearer, origin: 'https://elsewhere.example' });
    for (const answer of [preflight, plain]) {
      expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual([]);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(preflight.status).toBe(401);
  });

  it.each([
    ['localhost', 200],
    ['LOCALHOST:8080', 200],
    ['127.0.0.1', 200],
    ['[::1]:80', 200],
    ['rebound.example.org', 421],
    ['127.0.0.1.example.org', 421],
    ['localhost.example.org:80', 421],
    ['localhost@example.org', 421],
    ['[::2]', 421],
    ['192.0.2.1', 421],
  ])('on loopback is %j as host %i', async (host, status) => {
    const { get } = await startTcp();
    expect((await get('/v1/version', { ...bearer, host })).status).toBe(status);
  });

  it.each(['Host: ', 'Host: localhost, evil.example', 'Host: localhost:x'])(
    'on loopback is 421 for "%s"',
    async line => {
      const { target } = await startTcp();
      const answer = await raw(
        target,
        `GET /v1/version HTTP/1.1\r\n${line}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    },
  );

  it.each(['0.0.0.0', '192.0.2.1', '::', 'host.example.org'])('does not go in clear on %s unasked', host => {
    expect(() => createTcpApi(optionsFor(host))).toThrow(/in clear/);
    expect(() => createTcpApi({ ...optionsFor(host), plain: true })).not.toThrow();
  });

  it('goes by TLS with a certificate, and by another once it is renewed', async () => {
    const authority = createAuthority();
    const pem = () => {
      const { chain: cert, key } = authority.issue(['localhost']);
      return { cert, key };
    };
    const { api, target } = await startTcp({ tls: pem() });
    const secure = { ...target, host: 'localhost', ca: authority.root };
    expect((await ask(secure, { path: '/v1/version', headers: bearer })).text).toContain('1.2.3');
    const other = createAuthority();
    const { chain: cert, key } = other.issue(['localhost']);
    api.renew({ cert, key });
    const renewed = { ...secure, ca: other.root };
    expect((await ask(renewed, { path: '/v1/version', headers: bearer })).status).toBe(200);
    await expect(ask(secure, { path: '/v1/version', headers: bearer })).rejects.toThrow();
    await expect(ask(target, { path: '/v1/version', headers: bearer })).rejects.toThrow();
  });

  it.each([
    ['says nothing', ''],
    ['stops in the middle of a head', 'GET /v1/version HTTP/1.1\r\nHost: localhost\r\n'],
  ])('keeps no place for who %s, with TLS or without', async (_name, bytes) => {
    const { chain: cert, key } = createAuthority().issue(['localhost']);
    for (const tls of [undefined, { cert, key }]) {
      const { target } = await startTcp({ tls, patience: 200 });
      const socket = connect(target)
        .on('error', () => {})
        .resume();
      socket.write(bytes);
      await once(socket, 'close');
    }
  });

  it('says which address is taken', async () => {
    const { target } = await startTcp();
    const second = createTcpApi({ ...optionsFor('127.0.0.1'), address: target });
    await expect(second.listen()).rejects.toThrow(
      `Another program listens on 127.0.0.1:${target.port} already.`,
    );
  });
});

describe('connections of one address', () => {
  it('are closed beyond a number, until others leave', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    limitByAddress(server, 2);
    await once(server, 'listening');
    closing.push(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const dial = async () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      return socket;
    };
    const [first, second] = [await dial(), await dial()];
    await once(await dial(), 'close');
    expect([first.destroyed, second.destroyed]).toEqual([false, false]);
    first.destroy();
    await until('a place', async () => {
      const next = await dial();
      const closed = once(next, 'close').then(() => true);
      const open = !(await Promise.race([
        closed,
        new Promise<false>(resolve => setTimeout(resolve, 50, false)),
      ]));
      next.destroy();
      return open;
    });
    second.destroy();
  });
});

function optionsFor(host: string): TcpOptions {
  const { dispatch: _, ...services } = servicesOf(createBench());
  return {
    ...services,
    address: { host, port: 0 },
    tls: undefined,
    plain: false,
    authenticate: () => undefined,
    refused: () => {},
    log: silentLog,
    ticks: () => 0,
  };
}

function raw({ host, port }: Target, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => socket.write(text));
    let answer = '';
    socket
      .setEncoding('utf8')
      .on('error', reject)
      .on('close', () => resolve(answer));
    socket.on('data', chunk => {
      answer += chunk;
    });
  });
}
