import { describe, expect, it } from 'vitest';
import type { HoldPolicy, Route } from '../../src/domain/route.ts';
import {
  cleanUp,
  demo,
  ok,
  openClient,
  startApp,
  startRawApp,
  startTestEdge,
  type TestEdge,
} from './harness.ts';

const hold: HoldPolicy = {
  timeout: 30_000,
  queue: 3,
  waitingPage: false,
  ignorePaths: ['/health', '/probe/*'],
  ignoreAgents: ['UptimeBot'],
};

function asleep(changes: Partial<HoldPolicy> = {}): Route[] {
  return [
    { app: 'demo', domains: ['demo.test'], state: 'asleep', targets: [], hold: { ...hold, ...changes } },
  ];
}

function awake(port: number, changes: Partial<HoldPolicy> = {}): Route[] {
  return demo(port).map(route => ({ ...route, hold: { ...hold, ...changes } }));
}

const get = 'GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n';

async function ask(edge: TestEdge, text: string) {
  const client = await openClient(edge.port);
  client.send(text);
  return client;
}

async function waiting(edge: TestEdge, count: number): Promise<void> {
  await expect.poll(() => edge.counters.of('demo').usage.waiting).toBe(count);
}

describe('a request for an app that sleeps', () => {
  it('waits, wakes the app, and is answered by the instance that comes', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(asleep());
    const client = await ask(edge, 'GET /a?token=1 HTTP/1.1\r\nHost: demo.test\r\nUser-Agent: curl\r\n\r\n');
    await waiting(edge, 1);
    expect(edge.woken[0]).toEqual({
      app: 'demo',
      method: 'GET',
      host: 'demo.test',
      path: '/a',
      agent: 'curl',
      peer: '127.0.0.1',
    });
    expect(client.text()).toBe('');
    edge.apply(awake(app.port));
    expect(await client.until('ok')).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*Server-Timing: wake;dur=\d+\r\n/);
    await waiting(edge, 0);
  });

  it('wakes the app once however many wait, and they are let go oldest first', async () => {
    const order: string[] = [];
    const app = await startApp((req, res) => {
      order.push(req.url ?? '');
      res.end('ok');
    });
    const edge = await startTestEdge(asleep());
    const clients = [];
    for (const path of ['/1', '/2', '/3']) {
      clients.push(await ask(edge, get.replace('/ ', `${path} `)));
      await waiting(edge, clients.length);
    }
    expect(edge.woken.map(wake => wake.path)).toEqual(['/1']);
    edge.apply(awake(app.port));
    for (const client of clients) await client.until('ok');
    expect(order).toEqual(['/1', '/2', '/3']);
  });

  it('keeps its body unread and its client without a 100 until an instance is there', async () => {
    const app = await startApp((req, res) => {
      let length = 0;
      req.on('data', piece => (length += piece.length)).on('end', () => res.end(`got ${length}`));
    });
    const edge = await startTestEdge(asleep());
    const head = 'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n';
    const client = await ask(edge, head);
    await waiting(edge, 1);
    expect(client.text()).toBe('');
    edge.apply(awake(app.port));
    await client.until('100 Continue');
    client.send('hello');
    await client.until('got 5');
  });

  it('is answered with 503 and the reason when the app does not come up', async () => {
    const edge = await startTestEdge(asleep());
    const client = await ask(edge, get);
    await waiting(edge, 1);
    edge.apply(
      asleep().map(route => ({ ...route, state: 'crashed', reason: 'App demo is not up: no disk.' })),
    );
    expect(await client.until('no disk')).toMatch(/^HTTP\/1.1 503 [\s\S]*Retry-After: \d/);
  });

  it('is answered with 404 when the app is destroyed meanwhile', async () => {
    const edge = await startTestEdge(asleep());
    const client = await ask(edge, get);
    await waiting(edge, 1);
    edge.apply([]);
    expect(await client.until('unknown-host')).toMatch(/^HTTP\/1.1 404 /);
  });

  it('gets a 503 after the time it may wait', async () => {
    const edge = await startTestEdge(asleep({ timeout: 100 }));
    const client = await ask(edge, get);
    expect(await client.until('wake-timeout')).toMatch(/^HTTP\/1.1 503 [\s\S]*Retry-After/);
    await waiting(edge, 0);
  });

  it('is asked for again each second, until it is gone', async () => {
    const edge = await startTestEdge(asleep());
    const client = await ask(edge, get);
    await expect.poll(() => edge.woken.length, { timeout: 5000 }).toBeGreaterThan(1);
    client.socket.destroy();
    await waiting(edge, 0);
    const before = edge.woken.length;
    await new Promise(resolve => setTimeout(resolve, 1300));
    expect(edge.woken.length).toBe(before);
  });

  it('is refused when as many wait as may', async () => {
    const edge = await startTestEdge(asleep({ queue: 1 }));
    await ask(edge, get);
    await waiting(edge, 1);
    const second = await ask(edge, get);
    expect(await second.until('wake-queue-full')).toMatch(/^HTTP\/1.1 503 [\s\S]*Retry-After/);
  });

  it.each([
    ['a path that does not count', '/health', 'curl'],
    ['a path below one that does not count', '/probe/deep?x=1', 'curl'],
    ['an agent that does not count', '/', 'UptimeBot/2.0'],
  ])('does not wake it by %s', async (_what, path, agent) => {
    const edge = await startTestEdge(asleep());
    const client = await ask(edge, `GET ${path} HTTP/1.1\r\nHost: demo.test\r\nUser-Agent: ${agent}\r\n\r\n`);
    expect(await client.until('app-asleep')).toMatch(/^HTTP\/1.1 503 /);
    expect(edge.woken).toEqual([]);
  });

  it('gets a page that comes again, from a browser where that is set', async () => {
    const edge = await startTestEdge(asleep({ waitingPage: true }));
    const page = await ask(edge, 'GET / HTTP/1.1\r\nHost: demo.test\r\nAccept: text/html\r\n\r\n');
    expect(await page.until('app-waking')).toMatch(/^HTTP\/1.1 503 [\s\S]*<meta http-equiv="refresh"/);
    expect(edge.woken.length).toBe(1);
    await ask(edge, get);
    await waiting(edge, 1);
  });

  it('may be a websocket', async () => {
    const edge = await startTestEdge(asleep());
    const app = await startRawApp((socket, text) => {
      if (text.startsWith('GET'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      else socket.write(`echo ${text}`);
    });
    const client = await ask(
      edge,
      'GET /ws HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await waiting(edge, 1);
    edge.apply(awake(app.port));
    await client.until('101 Switching');
    client.send('hi');
    await client.until('echo hi');
    expect(edge.counters.of('demo').usage.inFlight).toBe(1);
    client.socket.destroy();
    await expect.poll(() => edge.counters.of('demo').usage.inFlight).toBe(0);
  });
});

describe('what wakes apps', () => {
  it('is not one visitor who asks for hundreds of names: fifty at once, then one a second', async () => {
    const apps = Array.from({ length: 52 }, (_, at): Route => {
      return { app: `a${at}`, domains: [`a${at}.test`], state: 'asleep', targets: [], hold };
    });
    const edge = await startTestEdge(apps);
    for (const { domains } of apps) {
      const client = await ask(edge, get.replace('demo.test', domains[0] as string));
      cleanUp(() => void client.socket.destroy());
    }
    const waitingApps = () => apps.filter(({ app }) => edge.counters.of(app).usage.waiting === 1).length;
    await expect.poll(waitingApps).toBe(52);
    const woken = () => new Set(edge.woken.map(({ app }) => app)).size;
    expect(woken()).toBeLessThan(52);
    await expect.poll(woken, { timeout: 8000 }).toBe(52);
  }, 15_000);
});

describe('the load that is reported', () => {
  it('is the mean of requests in flight over time, and how long ago use ended', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(awake(app.port));
    const start = performance.now();
    edge.counters.loads(start, true);
    const client = await ask(edge, get);
    await expect.poll(() => edge.counters.of('demo').usage.inFlight).toBe(1);
    const [load] = edge.counters.loads(performance.now() + 60_000, false);
    expect(load).toMatchObject({ app: 'demo', inFlight: 1, waiting: 0, requests: 1, idle: 0 });
    expect(load?.mean).toBeGreaterThan(0.9);
    expect(load?.mean).toBeLessThanOrEqual(1);
    client.socket.destroy();
    await expect.poll(() => edge.counters.of('demo').usage.inFlight).toBe(0);
    edge.counters.loads(performance.now() + 120_000, false);
    expect(edge.counters.loads(performance.now() + 180_000, false)).toEqual([]);
    const [quiet] = edge.counters.loads(performance.now() + 240_000, true);
    expect(quiet).toMatchObject({ inFlight: 0, mean: 0, requests: 0 });
    expect(quiet?.idle).toBeGreaterThan(100_000);
  });

  it('has no use in what does not count', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(awake(app.port));
    await ask(edge, 'GET /health HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await expect.poll(() => edge.counters.of('demo').usage.inFlight).toBe(1);
    const [load] = edge.counters.loads(performance.now() + 60_000, true);
    expect(load?.inFlight).toBe(1);
    expect(load?.idle).toBeGreaterThan(50_000);
  });
});
