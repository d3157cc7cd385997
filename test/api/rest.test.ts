import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { ask, begin, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
  await post('/v1/apps/create', { app: 'blog' });
});
afterEach(() => started.close());

const get = async (path: string) => {
  const { status, text } = await ask(started.socket, { path });
  return { status, json: JSON.parse(text) };
};
const post = async (path: string, body: unknown) => {
  const { status, text } = await ask(started.socket, { method: 'POST', path, body });
  return { status, json: JSON.parse(text) };
};

describe('a command over HTTP', () => {
  it('takes JSON and gives what --format json gives', async () => {
    expect(await post('/v1/apps/create', { app: 'other' })).toEqual({
      status: 200,
      json: { app: 'other', domains: ['other.example.org'] },
    });
    expect(await get('/v1/apps/list')).toEqual({ status: 200, json: ['blog', 'other'] });
  });

  it('takes values byte for byte', async () => {
    const pairs = { A: ' é\n"\'', EMPTY: '' };
    expect((await post('/v1/config/set', { app: 'blog', pairs })).status).toBe(200);
    expect(await get('/v1/config/show?app=blog')).toEqual({ status: 200, json: pairs });
    expect(await get('/v1/config?app=blog')).toEqual({ status: 200, json: pairs });
    expect(await get('/v1/config/get?app=blog&key=NONE')).toMatchObject({
      status: 404,
      json: { code: 'not-found' },
    });
  });

  it('takes flags by their names, in a query too', async () => {
    await started.bench.deployed('blog');
    await post('/v1/resource/limit', { app: 'blog', processType: 'web', memory: '256m' });
    const { json } = await get('/v1/resource/report?app=blog&info=resource-web.limit.memory');
    expect(json).toBe('256m');
  });

  it('takes a key that comes twice as a list', async () => {
    await post('/v1/domains/add', { app: 'blog', domains: ['a.example.com', 'b.example.com'] });
    expect((await get('/v1/events?app=blog&num=1')).json.message).toBe('Added a.example.com, b.example.com');
  });

  it('changes nothing by GET', async () => {
    const { status, headers } = await ask(started.socket, { path: '/v1/apps/destroy?app=blog&force=true' });
    expect(status).toBe(405);
    expect(headers.allow).toBe('POST');
    expect((await get('/v1/apps/list')).json).toEqual(['blog']);
    expect((await ask(started.socket, { method: 'DELETE', path: '/v1/apps/list' })).status).toBe(405);
  });

  it('asks for POST where a read starts or stops something', async () => {
    for (const path of ['/v1/run/stop?app=blog&name=run.1', '/v1/run/detached?app=blog&command=ls'])
      expect((await ask(started.socket, { path })).headers.allow).toBe('POST');
  });

  it('answers HEAD as GET, without the body', async () => {
    const { status, text, headers } = await ask(started.socket, { method: 'HEAD', path: '/v1/apps/list' });
    expect([status, text, headers['content-length']]).toEqual([200, '', '9']);
  });

  it('gives the exit status along with a result that is no error', async () => {
    const { status, headers, text } = await ask(started.socket, { path: '/v1/apps/locked?app=blog' });
    expect([status, headers['wherry-exit'], JSON.parse(text).locked]).toEqual([200, '1', false]);
  });

  it('tells results from errors whatever their keys', async () => {
    await post('/v1/config/set', { app: 'blog', pairs: { error: 'x' } });
    expect(await get('/v1/config/show?app=blog')).toEqual({ status: 200, json: { error: 'x' } });
  });

  it('destroys only with force', async () => {
    expect((await post('/v1/apps/destroy', { app: 'blog' })).status).toBe(400);
    expect((await post('/v1/apps/destroy', { app: 'blog', force: true })).status).toBe(200);
    expect((await get('/v1/apps/list')).json).toEqual([]);
  });

  it.each([
    ['/v1/urls', { app: 'nobody' }, 404, 'app-not-found'],
    ['/v1/urls', {}, 400, 'invalid'],
    ['/v1/urls', { app: 'blog', nope: 1 }, 400, 'usage'],
    ['/v1/urls', [], 400, 'invalid'],
    ['/v1/urls', '{', 400, 'invalid'],
    ['/v1/ps/scale', { app: 'blog', counts: { web: -1 } }, 400, 'invalid'],
    ['/v1/apps/create', { app: '../x' }, 400, 'invalid'],
  ])('%s refuses %j with %i', async (path, body, status, code) => {
    expect(await post(path, body)).toMatchObject({ status, json: { code, status } });
  });

  it('gives a domain that is taken as a conflict', async () => {
    await post('/v1/apps/create', { app: 'other' });
    const taken = await post('/v1/domains/add', { app: 'other', domains: ['blog.example.org'] });
    expect(taken).toMatchObject({
      status: 409,
      json: { hint: 'domains:remove blog blog.example.org', exit: 22 },
    });
  });
});

describe('standard input over HTTP', () => {
  const config = async () => (await get('/v1/config/show?app=blog')).json;
  const path = '/v1/config/import';
  const bytes = { 'content-type': 'application/octet-stream' };

  it('is text in the JSON', async () => {
    const given = { app: 'blog', file: '-' };
    expect((await post(path, { ...given, stdin: 'A=é\n' })).status).toBe(200);
    expect(await config()).toEqual({ A: 'é' });
    expect((await post(path, { ...given, stdin: 7 })).status).toBe(400);
    expect((await post('/v1/apps/create', { app: 'other', stdin: '' })).json.code).toBe('usage');
  });

  it('is bytes, with the arguments in the query', async () => {
    const given = {
      method: 'POST',
      path: `${path}?app=blog&file=-`,
      body: Buffer.from('B=2'),
      headers: bytes,
    };
    expect((await ask(started.socket, given)).status).toBe(200);
    expect(await config()).toEqual({ B: '2' });
    const other = await ask(started.socket, { ...given, path: '/v1/apps/create?app=other' });
    expect(other.status).toBe(415);
  });

  it('that breaks off is not taken for all of it', async () => {
    const headers = { ...bytes, 'content-length': '100' };
    const request = begin(started.socket, { method: 'POST', path: `${path}?app=blog&file=-`, headers });
    request.on('error', () => {}).write('C=half of');
    await until('the command to begin', () => started.bench.locks.holder('blog') !== undefined);
    request.destroy();
    await until('it to end', () => started.bench.locks.holder('blog') === undefined);
    expect(await config()).toEqual({});
    expect(started.faults).toEqual([]);
  });

  it('leaves no room for a query beside JSON', async () => {
    expect((await post('/v1/urls?app=blog', {})).json.code).toBe('usage');
  });
});

describe('a stream over HTTP', () => {
  it('is a JSON object a line', async () => {
    await started.bench.deployed('blog');
    started.bench.runtime.says.lines = ['one', 'two'].map(text => ({
      at: new Date(0),
      dyno: 'web.1',
      stream: 'stdout' as const,
      text,
    }));
    const { text, headers } = await ask(started.socket, { path: '/v1/logs?app=blog' });
    expect(headers['content-type']).toBe('application/x-ndjson');
    expect(
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).text),
    ).toEqual(['one', 'two']);
  });

  it('that cannot begin fails with its status', async () => {
    const { status, text } = await ask(started.socket, { path: '/v1/logs?app=blog' });
    expect(status).toBe(500);
    expect(JSON.parse(text).detail).toBe('App blog has not been deployed');
  });
});
