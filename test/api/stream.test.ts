import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { ask, begin, startApi } from './support.ts';

let started: Awaited<ReturnType<typeof startApi>>;
beforeEach(async () => {
  started = await startApi({ times: { heartbeat: 20, missed: 3 } });
  await started.bench.deployed('blog');
});
afterEach(() => started.close());

const sse = { accept: 'text/event-stream' };
const json = { 'content-type': 'application/json' };
const line = (text: string) => ({ at: new Date(0), dyno: 'web.1', stream: 'stdout' as const, text });

/** The events of a text, comments left out. */
const eventsOf = (text: string) =>
  text
    .split('\n\n')
    .filter(block => block !== '' && !block.startsWith(':'))
    .map(block => {
      const [, event, data = ''] = /^(?:event: (\w+)\n)?data: ([^\n]*)$/.exec(block) ?? [];
      return { event: event ?? 'message', data: JSON.parse(data) };
    });

/** A request whose answer is read by hand. */
async function follow(path: string, headers: Record<string, string> = {}) {
  const request = begin(started.socket, { path, headers });
  request.on('error', () => {}).end();
  const response = await new Promise<IncomingMessage>(resolve => request.on('response', resolve));
  let seen = '';
  response.setEncoding('utf8').on('error', () => {});
  return {
    request,
    response,
    read: () =>
      response.on('data', (text: string) => {
        seen += text;
      }),
    seen: () => seen,
  };
}

describe('a stream', () => {
  it('is an event an item, and tells its end, for who accepts events', async () => {
    started.bench.runtime.says.lines = ['one', 'two\nlines'].map(line);
    const { headers, text } = await ask(started.socket, { path: '/v1/logs?app=blog', headers: sse });
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(eventsOf(text)).toMatchObject([
      { event: 'message', data: { text: 'one' } },
      { event: 'message', data: { text: 'two\nlines' } },
      { event: 'end', data: { exit: 0 } },
    ]);
  });

  it.each([
    ['text/event-stream;q=0.9, */*', 'text/event-stream; charset=utf-8'],
    ['application/x-ndjson, text/event-stream', 'application/x-ndjson'],
    ['application/json', 'application/x-ndjson'],
    ['*/*', 'application/x-ndjson'],
  ])('for %s is %s', async (accept, type) => {
    const { headers } = await ask(started.socket, { path: '/v1/logs?app=blog', headers: { accept } });
    expect(headers['content-type']).toBe(type);
  });

  it('that cannot begin is a problem with its status, whatever is accepted', async () => {
    const { status, headers } = await ask(started.socket, { path: '/v1/logs?app=nobody', headers: sse });
    expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
  });

  it.each([
    ['lines', {}, (text: string) => JSON.parse(text.trim().split('\n').at(-1) ?? '').problem],
    ['events', sse, (text: string) => eventsOf(text).find(({ event }) => event === 'problem')?.data],
  ])('that fails on the way ends with the problem, as %s', async (_form, headers, problemIn) => {
    started.bench.runtime.logs = async function* () {
      yield line('one');
      throw new Error('a secret bug');
    };
    const { status, text } = await ask(started.socket, { path: '/v1/logs?app=blog', headers });
    expect(status).toBe(200);
    expect(problemIn(text)).toMatchObject({ code: 'failed', status: 500 });
    expect(text).not.toContain('secret bug');
  });

  it.each([
    ['a blank line', {}, '\n\n'],
    ['a comment', sse, ':\n\n:\n\n'],
  ])('that is quiet shows its headers at once, and then life by %s', async (_what, headers, sign) => {
    const { request, response, read, seen } = await follow('/v1/logs?app=blog&tail=true', headers);
    expect(response.statusCode).toBe(200);
    read();
    await until('signs of life', () => seen().includes(sign));
    request.destroy();
  });

  it('ends its work when the client goes', async () => {
    let ended = false;
    started.bench.runtime.logs = async function* (_app, { signal }) {
      try {
        yield line('one');
        await new Promise(resolve => signal?.addEventListener('abort', resolve));
      } finally {
        ended = true;
      }
    };
    const { request } = await follow('/v1/logs?app=blog&tail=true');
    request.destroy();
    await until('the work to end', () => ended);
    expect(started.faults).toEqual([]);
  });

  it('holds its work back while the client does not read, and cuts it off in the end', async () => {
    let made = 0;
    let ended = false;
    started.bench.runtime.logs = async function* (_app, { signal }) {
      try {
        for (; !signal?.aborted; made += 1) yield line('x'.repeat(1000));
      } finally {
        ended = true;
      }
    };
    const { response } = await follow('/v1/logs?app=blog&tail=true');
    response.pause();
    await until('the client to be cut off', () => ended);
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(20_000);
  });
});

describe('a long write', () => {
  const restart = (headers: Record<string, string>) =>
    ask(started.socket, {
      method: 'POST',
      path: '/v1/ps/restart',
      body: { app: 'blog' },
      headers: { ...json, ...headers },
    });

  it('tells its progress, then its result, as lines', async () => {
    started.bench.runtime.says.during = async progress => progress?.detail('half way');
    const plain = JSON.parse((await restart({})).text);
    const { text } = await restart({ accept: 'application/x-ndjson' });
    const lines = text
      .split('\n')
      .filter(part => part !== '')
      .map(part => JSON.parse(part));
    expect(lines).toContainEqual({ progress: { level: 'detail', text: 'half way' } });
    expect(lines.at(-1)).toEqual({ result: plain });
  });

  it('tells its progress, then its result, as events', async () => {
    started.bench.runtime.says.during = async progress => progress?.raw('from a program');
    const events = eventsOf((await restart(sse)).text);
    expect(events).toContainEqual({ event: 'progress', data: { level: 'raw', text: 'from a program' } });
    expect(events.slice(-2).map(({ event }) => event)).toEqual(['result', 'end']);
  });

  it('leaves out progress that a client is too slow for, and says how much', async () => {
    let go: () => void = () => {};
    const gate = new Promise<void>(resolve => {
      go = resolve;
    });
    started.bench.runtime.says.during = async progress => {
      for (let count = 0; count < 20_000; count += 1) progress?.raw('x'.repeat(1000));
      await gate;
      progress?.raw('the end');
    };
    const request = begin(started.socket, {
      method: 'POST',
      path: '/v1/ps/restart',
      headers: { ...json, ...sse },
    });
    request.end('{"app":"blog"}');
    const response = await new Promise<IncomingMessage>(resolve => request.on('response', resolve));
    let text = '';
    response.setEncoding('utf8').on('data', chunk => {
      text += chunk;
    });
    await until('what waited to come', () => text.length > 200_000 && text.endsWith(':\n\n'));
    go();
    await new Promise(resolve => response.on('end', resolve));
    const levels = eventsOf(text).map(({ data }) => data.level);
    expect(levels.filter(level => level === 'raw').length).toBeLessThan(10_000);
    expect(levels).toContain('left-out');
    expect(text).toContain('the end');
  });
});
