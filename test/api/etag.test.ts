import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi();
  await started.bench.run('apps:create', 'blog');
});
afterEach(() => started.close());

const path = '/v1/config/show?app=blog';
const get = (ifNoneMatch?: string, method = 'GET') =>
  ask(started.socket, {
    method,
    path,
    headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch },
  });
const tagNow = async () => String((await get()).headers.etag);

describe('a read', () => {
  it('has a tag of its content, and is 304 for who has it', async () => {
    const tag = await tagNow();
    expect(tag).toMatch(/^"[\w-]{22}"$/);
    expect(await tagNow()).toBe(tag);
    for (const sent of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const { status, text, headers } = await get(sent);
      expect([status, text, headers.etag], sent).toEqual([304, '', tag]);
    }
    expect((await get(tag, 'HEAD')).status).toBe(304);
  });

  it('has another tag once it is other', async () => {
    const before = await tagNow();
    await started.bench.run('config:set', 'blog', 'A=1');
    const { status, text, headers } = await get(before);
    expect([status, text]).toEqual([200, '{"A":"1"}\n']);
    expect(headers.etag).not.toBe(before);
  });

  it.each([['"'], ['""'], ['nonsense'], [`"${'x'.repeat(5000)}"`]])('is whole for %s', async sent => {
    expect((await get(sent)).status).toBe(200);
  });

  it('has a tag when it describes the API', async () => {
    const { headers } = await ask(started.socket, { path: '/openapi.json' });
    const again = { path: '/openapi.json', headers: { 'if-none-match': String(headers.etag) } };
    expect((await ask(started.socket, again)).status).toBe(304);
  });
});

describe('what is no whole result of a read', () => {
  it.each([
    ['GET', '/v1/config/show?app=nobody'],
    ['GET', '/v1/config/get?app=blog&key=NONE'],
    ['GET', '/v1/events?app=blog'],
    ['POST', '/v1/version'],
    ['POST', '/v1/cleanup'],
  ])('has no tag: %s %s', async (method, path) => {
    const { status, headers } = await ask(started.socket, {
      method,
      path,
      headers: { 'if-none-match': '*' },
    });
    expect(headers.etag).toBeUndefined();
    expect(status).not.toBe(304);
  });
});
