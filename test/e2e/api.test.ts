import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type Target } from '../api/support.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { createWherry, type Wherry } from '../support/wherry.ts';

describe('the HTTP API on TCP', () => {
  let wherry: Wherry;
  let target: Target;
  let bearer: { authorization: string };
  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    target = { host: '127.0.0.1', port };
    wherry = await createWherry({ env: { WHERRY_API: `127.0.0.1:${port}` } });
    await wherry.start();
    await wherry.registerKey('ann');
    bearer = await tokenOf('ci');
  });
  afterAll(() => wherry?.stop());

  async function tokenOf(name: string, ...flags: string[]) {
    const made = await wherry.cli('--format', 'json', 'tokens:create', 'ann', name, ...flags);
    expect(made.code, made.output).toBe(0);
    return { authorization: `Bearer ${JSON.parse(made.stdout).token}` };
  }
  const get = (path: string, headers: Record<string, string> = bearer) => ask(target, { path, headers });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask(target, {
      ...{ method: 'POST', path, body },
      headers: { ...bearer, 'content-type': 'application/json', ...headers },
    });

  it('answers who has a token, and nobody else', async () => {
    expect((await get('/openapi.json')).text).toContain('"openapi":"3.1.0"');
    expect((await get('/v1/apps/list', {})).status).toBe(401);
    expect((await get('/v1/apps/list', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await get('/v1/apps/list', { ...bearer, host: 'rebound.example.org' })).status).toBe(421);
  });

  it('does a write with a key once, also when the daemon is killed in between', async () => {
    const key = { 'idempotency-key': 'first' };
    const made = await post('/v1/apps/create', { app: 'blog' }, key);
    expect(made.status, made.text).toBe(200);
    await wherry.kill();
    await wherry.start();
    const again = await post('/v1/apps/create', { app: 'blog' }, key);
    expect([again.status, again.text]).toEqual([200, made.text]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect((await post('/v1/apps/create', { app: 'shop' }, key)).status).toBe(422);
  });

  it('follows events as they happen', async () => {
    const path = '/v1/events?app=blog&tail=true';
    const follower = request({ ...target, path, headers: { ...bearer, accept: 'text/event-stream' } });
    let seen = '';
    follower
      .on('error', () => {})
      .on('response', response => {
        response.setEncoding('utf8').on('error', () => {});
        response.on('data', chunk => {
          seen += chunk;
        });
      });
    follower.end();
    await until('the stream', () => seen !== '');
    expect((await post('/v1/domains/add', { app: 'blog', domains: ['blog.example.org'] })).status).toBe(200);
    await until('the event', () => /^data: .*Added blog\.example\.org/m.test(seen));
    follower.destroy();
  });

  it('narrows rights to the scope of a token, and ends them when it is revoked', async () => {
    const narrow = await tokenOf('narrow', '--app', 'blog', '--role', 'viewer');
    expect((await post('/v1/apps/create', { app: 'shop' })).status).toBe(200);
    expect((await get('/v1/apps/list', narrow)).text).toBe('["blog"]\n');
    expect((await get('/v1/urls?app=shop', narrow)).status).toBe(404);
    expect((await post('/v1/config/set', { app: 'blog', pairs: { A: '1' } }, narrow)).status).toBe(403);
    expect((await wherry.cli('tokens:revoke', 'ann', 'narrow')).code).toBe(0);
    expect((await get('/v1/apps/list', narrow)).status).toBe(401);
  });

  it('writes no token into the log', () => {
    expect(wherry.log()).not.toContain(bearer.authorization.slice('Bearer '.length));
  });
});
