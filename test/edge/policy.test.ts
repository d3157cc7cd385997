import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  demoWith,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
} from './harness.ts';

const post = (framing: string, body = '') =>
  `POST / HTTP/1.1\r\nHost: demo.test\r\n${framing}\r\nConnection: close\r\n\r\n${body}`;

describe('a limit of bodies', () => {
  it('refuses a longer one at once, before its first byte and without an instance (A6.12c)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { port } = await startTestEdge(demoWith({ bodyLimit: 10 }, app.port));
    const client = await openClient(port);
    client.send(post('Content-Length: 11\r\nExpect: 100-continue'));
    expect(await client.until('</html>')).toMatch(/^HTTP\/1\.1 413 [\s\S]*X-Wherry-Reason: body-too-large/);
    expect(client.text()).not.toContain('100 Continue');
    expect(app.received).toEqual([]);
  });

  it('lets one of that very length pass, chunked too', async () => {
    const app = await startRawApp((socket, text) => text.includes('0123456789') && socket.write(ok));
    const { port } = await startTestEdge(demoWith({ bodyLimit: 10 }, app.port));
    expect(await exchange(port, post('Content-Length: 10', '0123456789'))).toContain('200 OK');
    expect(
      await exchange(port, post('Transfer-Encoding: chunked', 'a\r\n0123456789\r\n0\r\n\r\n')),
    ).toContain('200 OK');
  });

  it('ends a chunked one that grows beyond it (A6.12c)', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demoWith({ bodyLimit: 10 }, app.port));
    const client = await openClient(edge.port);
    client.send(post('Transfer-Encoding: chunked', '6\r\n012345\r\n'));
    await eventually(() => (app.received[0] ?? '').includes('012345'));
    client.send('6\r\n012345\r\n');
    expect(await client.until('</html>')).toMatch(/^HTTP\/1\.1 413 /);
    await eventually(() => app.sockets[0]?.destroyed === true);
    expect(app.received[0]?.match(/012345/g)?.length).toBe(1);
    expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(0);
  });
});

describe('a time limit of answers', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is the app’s own (A6.12d)', async () => {
    const app = await startRawApp(() => {});
    const { port } = await startTestEdge(demoWith({ responseTimeout: 5000 }, app.port));
    const client = await openClient(port);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    vi.advanceTimersByTime(4000);
    expect(client.text()).toBe('');
    vi.advanceTimersByTime(3000);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 504 [\s\S]*within 5 seconds/);
  });
});

describe('a limit of requests at once', () => {
  it('holds until answers end, in order', async () => {
    const app = await startRawApp(() => {});
    const { port } = await startTestEdge(demoWith({ hardLimit: 2 }, app.port));
    const clients = await Promise.all(
      [0, 1, 2, 3].map(async i => {
        await pause(20 * i);
        const client = await openClient(port);
        client.send(get(`/${i}`));
        return client;
      }),
    );
    await eventually(() => app.sockets.length === 2);
    await pause(100);
    expect(
      app.received
        .join('')
        .match(/GET \S+/g)
        ?.sort(),
    ).toEqual(['GET /0', 'GET /1']);
    app.sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    await clients[0]?.until('\r\n\r\no');
    await pause(50);
    expect(app.received.join('').match(/GET/g)?.length).toBe(2);
    app.sockets[0]?.write('k');
    await eventually(() => app.received.join('').includes('/2'));
    expect(app.received.join('')).not.toContain('/3');
  });
});

describe('sticky sessions', () => {
  const started = async (count: number) => {
    const apps = await Promise.all(
      Array.from({ length: count }, () => startRawApp(socket => socket.write(ok))),
    );
    const ports = apps.map(app => app.port);
    const edge = await startTestEdge(demoWith({ sticky: true }, ...ports));
    const visit = async (cookie: string) => {
      const before = apps.map(app => app.received.join('').length);
      const answer = await exchange(edge.port, get('/', cookie === '' ? '' : `Cookie: a=b; ${cookie}\r\n`));
      return {
        instance: apps.findIndex((app, i) => app.received.join('').length > (before[i] ?? 0)),
        cookie: /Set-Cookie: (wherry_instance=[\w-]{22}); Path=\/; HttpOnly; SameSite=Lax\r\n/.exec(
          answer,
        )?.[1],
      };
    };
    return { edge, ports, visit };
  };

  it('keep a visitor on the instance of the first request (A6.17b)', async () => {
    const { visit } = await started(4);
    for (let visitor = 0; visitor < 4; visitor++) {
      const first = await visit('');
      for (let i = 0; i < 8; i++)
        expect(await visit(first.cookie ?? '')).toEqual({ instance: first.instance, cookie: undefined });
    }
  });

  it('give another instance, and its cookie, when theirs is gone or was never true (A6.17b)', async () => {
    const { edge, ports, visit } = await started(3);
    const first = await visit('');
    edge.apply(demoWith({ sticky: true }, ...ports.filter((_, i) => i !== first.instance)));
    const second = await visit(first.cookie ?? '');
    expect(second.instance).not.toBe(first.instance);
    expect(second.cookie).toMatch(/^wherry_instance=/);
    expect(second.cookie).not.toBe(first.cookie);
    expect((await visit('wherry_instance=AAAAAAAAAAAAAAAAAAAAAA')).cookie).toBeDefined();
  });

  it('go on elsewhere when the instance does not accept', async () => {
    const { edge, ports, visit } = await started(2);
    const first = await visit('');
    const targets = ports.map((port, i) => ({
      id: `demo-${port}`,
      host: '127.0.0.1',
      port: i === first.instance ? 1 : port,
    }));
    edge.apply([
      { app: 'demo', domains: ['demo.test'], state: 'serving', targets, policy: { sticky: true } },
    ]);
    const second = await visit(first.cookie ?? '');
    expect(second.instance).toBe(1 - first.instance);
    expect(second.cookie).toBeDefined();
  });
});
