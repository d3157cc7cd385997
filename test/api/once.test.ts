import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOnce } from '../../src/api/once.ts';
import { until } from '../support/until.ts';
import { type Answered, ask, begin, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
let now: Date;
beforeEach(async () => {
  started = await startApi(({ store }) => ({ once: createOnce({ kept: store.answers, now: () => now }) }));
  now = new Date('2026-03-01T00:00:00Z');
});
afterEach(() => started.close());

const headersOf = (key: string) => ({ 'content-type': 'application/json', 'idempotency-key': key });
type Options = { path?: string; headers?: Record<string, string> };
const post = (key: string, body: unknown, { path = '/v1/apps/create', headers = {} }: Options = {}) =>
  ask(started.socket, { method: 'POST', path, body, headers: { ...headersOf(key), ...headers } });
const told = ({ status, text, headers }: Answered) => ({
  status,
  body: JSON.parse(text) as { code?: string; detail: string },
  replayed: headers['idempotency-replayed'] === 'true',
});
const config = () => started.bench.run('config:get', 'blog', 'A').then(({ stdout }) => stdout.trim());

describe('a write with a key', () => {
  it('is done once, and answered alike', async () => {
    const first = told(await post('k1', { app: 'blog' }));
    expect(first).toMatchObject({ status: 200, replayed: false });
    expect(told(await post('k1', { app: 'blog' }))).toEqual({ ...first, replayed: true });
    expect(told(await post('k2', { app: 'blog' })).status).toBe(400);
  });

  it('is the same however its JSON is written', async () => {
    await post('a', { app: 'blog' });
    await post('b', '{"app":"blog","pairs":{"A":"1","B":"2"}}', { path: '/v1/config/set' });
    await started.bench.run('config:set', 'blog', 'A=changed');
    const again = '{ "pairs": {"B":"2", "A":"1"}, "app": "blog" }';
    expect(told(await post('b', again, { path: '/v1/config/set' })).replayed).toBe(true);
    expect(await config()).toBe('changed');
  });

  it.each([
    ['other arguments', { app: 'other' }, '/v1/apps/create'],
    ['force', { app: 'blog', force: true }, '/v1/apps/create'],
    ['another command', { app: 'blog' }, '/v1/ps/restart'],
  ])('is 422 with %s', async (_what, body, path) => {
    await post('k1', { app: 'blog' });
    const { status, body: problem } = told(await post('k1', body, { path }));
    expect([status, problem.code]).toEqual([422, 'key-reused']);
  });

  it('is 409 while it is being done, and goes on without its client', async () => {
    await started.bench.deployed('blog');
    let go: () => void = () => {};
    const gate = new Promise<void>(resolve => {
      go = resolve;
    });
    let restarts = 0;
    started.bench.runtime.says.during = async () => {
      restarts += 1;
      await gate;
    };
    const path = '/v1/ps/restart';
    const request = begin(started.socket, { method: 'POST', path, headers: headersOf('k1') });
    request.on('error', () => {}).end('{"app":"blog"}');
    await until('the work to begin', () => restarts === 1);
    const meanwhile = told(await post('k1', { app: 'blog' }, { path }));
    expect(meanwhile).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(meanwhile.body.detail).toMatch(/is being done/);
    request.destroy();
    go();
    await until('the work to end', () => started.bench.locks.holder('blog') === undefined);
    const after = await until('its answer', async () => {
      const answer = told(await post('k1', { app: 'blog' }, { path }));
      return answer.status === 200 && answer;
    });
    expect(after.replayed).toBe(true);
    expect(restarts).toBe(1);
  });

  it('that a daemon was stopped in is neither done again nor called done', async () => {
    const { answers } = started.bench.store;
    const place = { actor: 'local local', key: 'k1' };
    await post('k1', { app: 'blog' });
    const kept = answers.find(place);
    answers.put(place, { request: kept?.request ?? '', state: 'begun' }, now);
    const { status, body } = told(await post('k1', { app: 'blog' }));
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/was cut off/)]);
  });

  it('that failed at work fails alike; one that nothing was done for is free again', async () => {
    await started.bench.deployed('blog');
    const path = '/v1/ps/restart';
    started.bench.runtime.says.fault = new Error('bug');
    const failed = told(await post('k1', { app: 'blog' }, { path }));
    started.bench.runtime.says.fault = undefined;
    expect(failed.status).toBe(500);
    expect(told(await post('k1', { app: 'blog' }, { path }))).toEqual({ ...failed, replayed: true });

    expect(told(await post('k2', { app: 'new' }, { path })).status).toBe(404);
    await started.bench.deployed('new');
    expect(told(await post('k2', { app: 'new' }, { path })).status).toBe(200);
  });

  it('is known for a day, and a thousand of them at most', async () => {
    await post('k1', { app: 'blog' });
    now = new Date('2026-03-01T23:59:59Z');
    expect(told(await post('k1', { app: 'blog' })).replayed).toBe(true);
    now = new Date('2026-03-02T00:00:00Z');
    expect(told(await post('k1', { app: 'blog' }))).toMatchObject({ status: 400, replayed: false });

    const { answers } = started.bench.store;
    for (let count = 0; count < 1100; count += 1) {
      const at = new Date(now.getTime() + count);
      answers.put({ actor: 'local local', key: `n${count}` }, { request: '', state: 'too-large' }, at);
    }
    await post('last', { app: 'other' });
    const left = [...Array(1100).keys()].filter(
      count => answers.find({ actor: 'local local', key: `n${count}` }) !== undefined,
    );
    expect([left.length, left[0]]).toEqual([1000, 100]);
  });

  it('says that it was done when its answer is too large to keep', async () => {
    const restart = started.bench.registry.find('ps:restart');
    const { run } = restart;
    restart.run = () => 'x'.repeat(70_000);
    await started.bench.deployed('blog');
    const path = '/v1/ps/restart';
    expect((await post('k1', { app: 'blog' }, { path })).status).toBe(200);
    restart.run = run;
    const { status, body } = told(await post('k1', { app: 'blog' }, { path }));
    expect([status, body.detail]).toEqual([409, expect.stringMatching(/was done/)]);
  });

  it.each([
    ['text/event-stream', /^event: progress/m],
    ['application/x-ndjson', /^\{"result":/m],
  ])('streams as %s the first time, and is whole the second', async (accept, sign) => {
    await started.bench.deployed('blog');
    started.bench.runtime.says.during = async progress => progress?.detail('half way');
    const options = { path: '/v1/ps/restart', headers: { accept } };
    const first = await post('k1', { app: 'blog' }, options);
    expect(first.text).toMatch(sign);
    const second = await post('k1', { app: 'blog' }, options);
    expect(second.headers['content-type']).toMatch(/^application\/json/);
    expect(told(second).replayed).toBe(true);
  });

  it.each([[''], ['with blank'], ['x'.repeat(256)], ['\u00e9']])('is 400 with the key %j', async key => {
    const { status } = await post(key, { app: 'blog' });
    expect(status).toBe(400);
    expect((await started.bench.run('apps:list')).stdout).toBe('');
  });

  it('is 400 with bytes', async () => {
    const headers = { 'content-type': 'application/octet-stream' };
    const path = '/v1/config/import?app=blog&file=-';
    expect((await post('k1', 'A=1', { path, headers })).status).toBe(400);
  });
});
