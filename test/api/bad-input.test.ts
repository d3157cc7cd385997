import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, begin, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi({ limits: { bytes: 2 ** 20, patience: 300 } });
  await post({ app: 'blog' }, { path: '/v1/apps/create' });
});
afterEach(() => started.close());

const json = { 'content-type': 'application/json' };
type Options = { path?: string; headers?: Record<string, string> };
async function post(body: unknown, { path = '/v1/config/set', headers = json }: Options = {}) {
  const answered = await ask(started.socket, { method: 'POST', path, body, headers });
  return { status: answered.status, json: JSON.parse(answered.text) };
}
const config = async () =>
  JSON.parse((await ask(started.socket, { path: '/v1/config/show?app=blog' })).text) as unknown;

describe('a body', () => {
  it.each([
    ['that is cut off', '{"app":"blog",'],
    ['with a comment', '{"app":"blog"} // x'],
    ['with a trailing comma', '{"app":"blog",}'],
    ['with NaN', '{"app":NaN}'],
    ['that is a list', '["blog"]'],
    ['that is null', 'null'],
    ['that is text', '"blog"'],
    ['of two objects', '{}{}'],
    ['with a byte order mark', Buffer.from('\ufeff{"app":"blog"}')],
    ['in invalid UTF-8', Buffer.from([...Buffer.from('{"app":"'), 0xff, 0xfe, ...Buffer.from('"}')])],
    ['with an overlong NUL', Buffer.from([...Buffer.from('{"app":"'), 0xc0, 0x80, ...Buffer.from('"}')])],
    ['in UTF-16', Buffer.from('{"app":"blog"}', 'utf16le')],
    ['with half a character', '{"app":"blog","pairs":{"A":"\\ud800"}}'],
    ['with half a character as a key', '{"app":"blog","pairs":{"\\uDC00":"x"}}'],
    ['that nests lists', `{"app":${'['.repeat(100_000)}`],
    ['that nests objects', `{"app":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`],
    ['with a wrong type', { app: 7, pairs: { A: '1' } }],
    ['with a list for a name', { app: ['blog'], pairs: { A: '1' } }],
    ['with an object for a name', { app: { name: 'blog' }, pairs: { A: '1' } }],
    ['with a number for a value', { app: 'blog', pairs: { A: 1 } }],
    ['with a list for pairs', { app: 'blog', pairs: [['A', '1']] }],
    ['with text for a switch', { app: 'blog', pairs: { A: '1' }, noRestart: 'perhaps' }],
    ['with a number for force', { app: 'blog', pairs: { A: '1' }, force: 1 }],
    ['with an unknown field', { app: 'blog', pairs: { A: '1' }, owner: 'me' }],
    ['with __proto__ as a field', '{"app":"blog","pairs":{"A":"1"},"__proto__":{"force":true}}'],
    ['with constructor as a field', '{"app":"blog","pairs":{"A":"1"},"constructor":{"prototype":{"x":1}}}'],
    ['with a NUL in a value', '{"app":"blog","pairs":{"A":"\\u0000"}}'],
    ['with a path for a name', { app: '../blog', pairs: { A: '1' } }],
    ['with a value longer than a variable can be', { app: 'blog', pairs: { A: 'x'.repeat(200_000) } }],
  ])('%s is 400 and changes nothing', async (_what, body) => {
    const { status, json } = await post(body);
    expect(json).toMatchObject({ status: 400, detail: expect.stringMatching(/^.{10,400}\.$/) });
    expect(status).toBe(400);
    expect(await config()).toEqual({});
    expect(started.bench.logged.filter(row => row['err'])).toEqual([]);
  });

  it('names the limit of the field that is too long', async () => {
    const { json } = await post({ app: 'blog', pairs: { LONG: 'x'.repeat(200_000) } });
    expect(json.detail).toMatch(/^The value of LONG is longer than 130560 bytes/);
  });

  it('larger than 1 MiB is 413, also when it does not say so before', async () => {
    const body = JSON.stringify({ app: 'blog', pairs: { A: 'x'.repeat(2 ** 20) } });
    expect((await post(body)).status).toBe(413);
    const chunked = await post(body, { headers: { ...json, 'transfer-encoding': 'chunked' } });
    expect(chunked).toMatchObject({ status: 413, json: { code: 'too-large' } });
  });

  it('takes an odd key as the key it is', async () => {
    expect((await post('{"app":"blog","pairs":{"__proto__":"1","lower":"2"}}')).status).toBe(200);
    const shown = (await ask(started.socket, { path: '/v1/config/show?app=blog' })).text;
    expect(shown.trim()).toBe('{"__proto__":"1","lower":"2"}');
  });

  it.each([
    ['application/x-www-form-urlencoded'],
    ['text/plain'],
    ['application/json; charset=utf-16'],
    ['multipart/form-data; boundary=x'],
  ])('of type %s is 415', async type => {
    const answer = await post('{"app":"blog","pairs":{"A":"1"}}', { headers: { 'content-type': type } });
    expect(answer).toMatchObject({ status: 415, json: { code: 'wrong-type' } });
  });

  it('that is compressed is 415', async () => {
    expect((await post('{}', { headers: { ...json, 'content-encoding': 'gzip' } })).status).toBe(415);
  });

  it('that does not arrive is 408', async () => {
    const request = begin(started.socket, { method: 'POST', path: '/v1/config/set', headers: json });
    request.on('error', () => {}).write('{"app":');
    const status = await new Promise(resolve =>
      request.on('response', ({ statusCode }) => resolve(statusCode)),
    );
    expect(status).toBe(408);
    request.destroy();
  });

  it('of a client that leaves in the middle changes nothing, and is no fault of ours', async () => {
    const socket = connect(started.socket);
    const body = JSON.stringify({ app: 'blog', pairs: { A: '1' } });
    socket.write(
      `POST /v1/config/set HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
    );
    await new Promise(resolve => setTimeout(resolve, 20));
    socket.destroy();
    for (let round = 0; round < 5; round += 1) expect(await config()).toEqual({});
    expect(started.faults).toEqual([]);
  });
});

describe('a query', () => {
  it.each([
    ['/v1/urls?app=%ff'],
    ['/v1/urls?app=%c0%80'],
    ['/v1/urls?app=%'],
    ['/v1/urls?app=blog&__proto__=x'],
    ['/v1/urls?app=blog&app=other'],
    ['/v1/urls?app=blog%00'],
    ['/v1/urls?app=a%2fb'],
    ['/v1/events?app=blog&num=1e9'],
    ['/v1/events?app=blog&num=-1'],
    ['/v1/events?app=blog&num=9999999999999999'],
  ])('%s is 400', async path => {
    const { status, text } = await ask(started.socket, { path });
    expect([status, JSON.parse(text).status]).toEqual([400, 400]);
  });
});

describe('a request line', () => {
  it.each([['PUT'], ['DELETE'], ['PATCH'], ['OPTIONS'], ['TRACE']])('with %s is 405', async method => {
    const { status, text } = await ask(started.socket, { method, path: '/v1/apps/list' });
    expect([status, JSON.parse(text).code]).toEqual([405, 'wrong-method']);
  });

  it.each([
    ['/v1/apps/__proto__'],
    ['/v1/constructor'],
    ['//v1/apps/list/x'],
    ['/v1/apps/list/../destroy'],
    ['http://elsewhere.example/v1/none'],
    [`/v1/${'x'.repeat(8000)}`],
  ])('for %s is 404', async path => {
    expect((await ask(started.socket, { path })).status).toBe(404);
  });
});
