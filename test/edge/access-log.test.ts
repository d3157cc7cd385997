import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AccessLine } from '../../src/domain/access-line.ts';
import type { Route } from '../../src/domain/route.ts';
import { AccessLog, type AccessLogOptions } from '../../src/edge/access-log.ts';
import {
  cleanUp,
  demo,
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

async function openLog(options: Partial<AccessLogOptions> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-access-'));
  const access = new AccessLog({ dir, ...options });
  cleanUp(async () => {
    await access.close();
    await rm(dir, { recursive: true, force: true });
  });
  const lines = async (app = 'demo'): Promise<AccessLine[]> => {
    await access.flush();
    const text = await readFile(join(dir, `${app}.log`), 'utf8').catch(() => '');
    return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as AccessLine]));
  };
  return { dir, access, lines };
}

const line = (path: string) => ({ at: '2026-11-24T14:00:00.000Z', path }) as AccessLine;

describe('the line of a request', () => {
  it('tells who asked for what, what came of it, and how long each part took (A6.19b)', async () => {
    const app = await startRawApp((socket, text) => {
      if (text.endsWith('abc')) setTimeout(() => socket.write(ok), 60);
    });
    const { access, lines } = await openLog();
    const edge = await startTestEdge(demo(app.port), { access });
    const answer = await exchange(
      edge.port,
      'POST /a/b?token=secret HTTP/1.1\r\nHost: demo.test\r\nX-Request-ID: id-12345678\r\nReferer: http://x.test/y?q=secret\r\n' +
        'User-Agent: test/1 "x"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc',
    );
    await eventually(async () => (await lines()).length === 1);
    const [told] = await lines();
    expect(told).toEqual({
      at: expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/),
      client: '127.0.0.1',
      method: 'POST',
      host: 'demo.test',
      path: '/a/b',
      protocol: 'HTTP/1.1',
      status: 200,
      bytesIn: 3,
      bytesOut: answer.length,
      ms: expect.anything(),
      instance: `demo-${app.port}`,
      requestId: 'id-12345678',
      referer: 'http://x.test/y',
      agent: 'test/1 "x"',
    });
    expect(told?.ms.firstByte).toBeGreaterThanOrEqual(55);
    expect(told?.ms.total).toBeGreaterThanOrEqual(told?.ms.firstByte ?? 0);
    expect(told?.ms.connect).toBeGreaterThan(0);
    expect(JSON.stringify(told)).not.toContain('secret');
  });

  it('is one for each of a connection, with its own bytes and no time to connect again', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { access, lines } = await openLog();
    const edge = await startTestEdge(demo(app.port), { access });
    const client = await openClient(edge.port);
    for (const path of ['/1', '/2', '/3']) {
      const before = client.text().length;
      client.send(`GET ${path} HTTP/1.1\r\nHost: demo.test\r\n\r\n`);
      await eventually(() => client.text().length > before && client.text().endsWith('ok'));
    }
    await eventually(async () => (await lines()).length === 3);
    const told = await lines();
    expect(told.map(({ path }) => path)).toEqual(['/1', '/2', '/3']);
    expect(told.reduce((sum, { bytesOut }) => sum + bytesOut, 0)).toBe(client.text().length);
    expect(told.map(({ ms }) => ms.connect === 0)).toEqual([false, true, true]);
  });

  it('tells the wait for room, and why the edge answered itself', async () => {
    const app = await startRawApp(() => {});
    const { access, lines } = await openLog();
    const edge = await startTestEdge(demoWith({ hardLimit: 1, bodyLimit: 10 }, app.port), { access });
    const [first, second] = await Promise.all([openClient(edge.port), openClient(edge.port)]);
    first?.send(get('/first'));
    await eventually(() => app.sockets.length === 1);
    second?.send(get('/second'));
    await pause(80);
    app.sockets[0]?.write(ok);
    await eventually(() => app.received.join('').includes('/second'));
    for (const socket of app.sockets) socket.write(ok);
    await second?.closed();
    await exchange(
      edge.port,
      'POST /big HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 11\r\nConnection: close\r\n\r\n',
    );
    edge.apply([{ app: 'demo', domains: ['demo.test'], state: 'stopped', targets: [] }]);
    await exchange(edge.port, get('/stopped'));
    await eventually(async () => (await lines()).length === 4);
    const told = new Map((await lines()).map(each => [each.path, each]));
    expect(told.get('/second')?.ms.queue).toBeGreaterThanOrEqual(70);
    expect(told.get('/second')).toMatchObject({ status: 200 });
    expect(told.get('/big')).toMatchObject({ status: 413, reason: 'body-too-large', bytesIn: 0 });
    expect(told.get('/stopped')).toMatchObject({ status: 503, reason: 'app-stopped' });
  });

  it('tells how long its app took to wake', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { access, lines } = await openLog();
    const hold = { timeout: 9000, queue: 9, waitingPage: false, ignorePaths: [], ignoreAgents: [] };
    const asleep: Route = { app: 'demo', domains: ['demo.test'], state: 'asleep', targets: [], hold };
    const edge = await startTestEdge([asleep], { access });
    const client = await openClient(edge.port);
    client.send(get());
    await eventually(() => edge.woken.length === 1);
    await pause(60);
    edge.apply(demo(app.port));
    await client.closed();
    await eventually(async () => (await lines()).length === 1);
    expect((await lines())[0]?.ms.wake).toBeGreaterThanOrEqual(55);
    expect((await lines())[0]?.ms.queue).toBeLessThan(50);
  });

  it('is a 499 for a client that left', async () => {
    const app = await startRawApp(() => {});
    const { access, lines } = await openLog();
    const edge = await startTestEdge(demo(app.port), { access });
    const client = await openClient(edge.port);
    client.send(get());
    await eventually(() => app.sockets.length === 1);
    client.socket.destroy();
    await eventually(async () => (await lines())[0]?.status === 499);
  });

  it('of a websocket comes when it ends', async () => {
    const app = await startRawApp(socket =>
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello',
      ),
    );
    const { access, lines } = await openLog();
    const edge = await startTestEdge(demo(app.port), { access });
    const client = await openClient(edge.port);
    client.send('GET /ws HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('hello');
    await pause(30);
    expect(await lines()).toEqual([]);
    client.socket.destroy();
    await eventually(async () => (await lines()).length === 1);
    expect((await lines())[0]).toMatchObject({ path: '/ws', status: 101, bytesOut: client.text().length });
    expect((await lines())[0]?.ms.total).toBeGreaterThan(25);
  });
});

describe('the files', () => {
  it('are one an app, written in batches, and put aside when large', async () => {
    const writes: string[] = [];
    const { appendFile } = await import('node:fs/promises');
    const { access, dir, lines } = await openLog({
      maxFile: 200,
      append: async (file, text) => {
        writes.push(file);
        await appendFile(file, text);
      },
    });
    for (let i = 0; i < 10; i++) access.add('demo', line(`/${i}`));
    access.add('other', line('/x'));
    expect((await lines()).length).toBe(10);
    expect(writes).toEqual([join(dir, 'demo.log'), join(dir, 'other.log')]);
    access.add('demo', line('/next'));
    expect((await lines()).map(({ path }) => path)).toEqual(['/next']);
    expect((await readdir(dir)).sort()).toEqual(['demo.log', 'demo.log.old', 'other.log']);
  });

  it('go with their apps, those of an earlier process too', async () => {
    const { access, dir, lines } = await openLog({ maxFile: 10 });
    for (const app of ['demo', 'demo', 'gone', 'gone']) {
      access.add(app, line('/'));
      await lines();
    }
    await access.keep(new Set(['demo', 'later']));
    expect((await readdir(dir)).sort()).toEqual(['demo.log', 'demo.log.old']);
    await access.keep(new Set(['later']));
    expect(await readdir(dir)).toEqual([]);
    // The last answer of an app ends after it has gone.
    access.add('demo', line('/'));
    await access.flush();
    expect(await readdir(dir)).toEqual([]);
  });

  it('lose lines, counted, when the disk is too slow, and say so', async () => {
    let release = () => {};
    const slow = new Promise<void>(resolve => {
      release = resolve;
    });
    const written: string[] = [];
    const { access } = await openLog({
      maxQueued: 1000,
      append: async (_file, text) => {
        await slow;
        written.push(text);
      },
    });
    access.add('demo', line('/0'));
    const flushed = access.flush();
    for (let i = 1; i < 100; i++) access.add('demo', line(`/${i}`));
    expect(access.dropped).toBeGreaterThan(50);
    release();
    await flushed;
    await access.flush();
    const texts = written.join('').trim().split('\n');
    expect(JSON.parse(texts.at(-1) ?? '')).toEqual({ at: expect.anything(), dropped: access.dropped });
    expect(texts.length - 1 + access.dropped).toBe(100);
    access.add('demo', line('/after'));
    await access.flush();
    expect(written.at(-1)).toContain('/after');
  });

  it('that cannot be written cost lines, and nothing else', async () => {
    const { access } = await openLog({ append: () => Promise.reject(new Error('no space left')) });
    access.add('demo', line('/1'));
    access.add('demo', line('/2'));
    await access.flush();
    expect(access.dropped).toBe(2);
  });
});
