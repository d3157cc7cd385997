import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { frontDoor } from '../../src/edge/front-door.ts';
import { demo, exchange, get, ok, startRawApp, startTestEdge } from './harness.ts';

const hold = { timeout: 1000, queue: 1, waitingPage: false, ignorePaths: [], ignoreAgents: [] };

async function start(route: Partial<Route>) {
  const app = await startRawApp(socket => socket.write(ok));
  const routes = demo(app.port).map(each => ({
    ...each,
    domains: ['demo.test', 'www.demo.test', '*.old.test'],
    ...route,
  }));
  return { app, edge: await startTestEdge(routes) };
}

const ask = (host: string, path = '/', more = '') => get(path, more).replace('demo.test', host);

describe('a redirect', () => {
  const redirects = {
    'www.demo.test': { to: 'demo.test', code: 301 },
    '*.old.test': { to: 'new.test', code: 307 },
  } as const;

  it('keeps path, query and port, and reaches no app', async () => {
    const { app, edge } = await start({ redirects });
    expect(await exchange(edge.port, ask('www.demo.test:8080', '//a%2Fb?c=d'))).toMatch(
      /^HTTP\/1\.1 301 [\s\S]*X-Wherry-Reason: redirect\r\nLocation: http:\/\/demo\.test:8080\/\/a%2Fb\?c=d\r\n/,
    );
    expect(await exchange(edge.port, ask('any.old.test'))).toMatch(
      /^HTTP\/1\.1 307 [\s\S]*Location: http:\/\/new\.test\/\r\n/,
    );
    expect(app.received).toEqual([]);
    expect(await exchange(edge.port, ask('demo.test'))).toContain('200 OK');
  });

  it('goes before maintenance, and wakes nobody', async () => {
    const { edge } = await start({ redirects, state: 'asleep', targets: [], hold, maintenance: true });
    expect(await exchange(edge.port, ask('www.demo.test'))).toMatch(/^HTTP\/1\.1 301 /);
    expect(await exchange(edge.port, ask('demo.test'))).toMatch(/^HTTP\/1\.1 503 [\s\S]*: maintenance\r\n/);
    expect(edge.woken).toEqual([]);
  });

  it('stays on the scheme that a trusted proxy tells', async () => {
    const { edge } = await start({ redirects });
    edge.server.follow(frontDoor({ trustedProxies: ['127.0.0.1'] }));
    const answer = await exchange(edge.port, ask('www.demo.test', '/', 'X-Forwarded-Proto: https\r\n'));
    expect(answer).toContain('Location: https://demo.test/\r\n');
  });

  it('never takes the challenges of certificate authorities', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge();
    const all = { 'demo.test': { to: 'new.test', code: 301 } } as const;
    edge.apply(
      demo(app.port).map(each => ({ ...each, redirects: all })),
      { challenges: { token: 'answer' } },
    );
    expect(await exchange(edge.port, get('/.well-known/acme-challenge/token'))).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*answer/,
    );
  });
});

describe('visitors', () => {
  it.each<[Route['policy'], number]>([
    [{ allow: ['127.0.0.0/8'] }, 200],
    [{ allow: ['10.0.0.0/8', '::1'] }, 403],
    [{ deny: ['127.0.0.1'] }, 403],
    [{ deny: ['10.0.0.0/8'] }, 200],
    [{ allow: ['127.0.0.0/8'], deny: ['127.0.0.1'] }, 403],
    [{ allow: ['0.0.0.0/0', '::/0'] }, 200],
  ])('with %j get a %i', async (policy, status) => {
    const { app, edge } = await start(policy ? { policy } : {});
    expect(await exchange(edge.port, get())).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(app.received.length).toBe(status === 200 ? 1 : 0);
  });

  it('are who a trusted proxy says, and nobody else is believed', async () => {
    const { edge } = await start({ policy: { allow: ['203.0.113.0/24'] } });
    const told = get('/', 'X-Forwarded-For: 203.0.113.9\r\n');
    expect(await exchange(edge.port, told)).toMatch(/^HTTP\/1\.1 403 [\s\S]*: address-refused\r\n/);
    edge.server.follow(frontDoor({ trustedProxies: ['127.0.0.1'] }));
    expect(await exchange(edge.port, told)).toContain('200 OK');
  });

  it('who are not let in wake nobody, and learn nothing of its state', async () => {
    const { edge } = await start({ state: 'asleep', targets: [], hold, policy: { deny: ['127.0.0.1'] } });
    expect(await exchange(edge.port, get())).toMatch(/^HTTP\/1\.1 403 /);
    edge.apply(demo().map(each => ({ ...each, state: 'crashed', policy: { deny: ['127.0.0.1'] } })));
    expect(await exchange(edge.port, get())).toMatch(/^HTTP\/1\.1 403 /);
    expect(edge.woken).toEqual([]);
  });
});

describe('a host of nobody', () => {
  it('is a 404, or of the app that takes all others', async () => {
    const { app, edge } = await start({});
    const other = ask('nobody.example');
    expect(await exchange(edge.port, other)).toMatch(/^HTTP\/1\.1 404 /);
    edge.apply(demo(app.port), { edge: { catchAll: 'demo' } });
    expect(await exchange(edge.port, other)).toContain('200 OK');
    expect(await exchange(edge.port, ask('192.0.2.1'))).toContain('200 OK');
    edge.apply(demo(app.port), { edge: { catchAll: 'gone' } });
    expect(await exchange(edge.port, other)).toMatch(/^HTTP\/1\.1 404 /);
  });
});
