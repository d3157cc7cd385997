// The front with a real HAProxy and a real edge, in this process, behind it.
import { mkdtemp, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { AppLoad, Route } from '../../src/domain/route.ts';
import { frontDoor } from '../../src/edge/front-door.ts';
import { edgeAddress } from '../../src/fast-path/haproxy-config.ts';
import { createHaproxyFront, stopHaproxy } from '../../src/fast-path/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { hasProgram } from '../../src/system/exec.ts';
import { silentLog as log } from '../../src/system/log.ts';
import { demo, eventually, exchange, get, openClient, startApp, startTestEdge } from '../edge/harness.ts';
import { freePorts } from '../support/ports.ts';

const hold = { timeout: 5000, queue: 10, waitingPage: false, ignorePaths: [], ignoreAgents: [] };
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const present = hasProgram('haproxy');

async function startFront() {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-front-'));
  const [port = 0] = await freePorts(1);
  const edge = await startTestEdge([], { host: edgeAddress });
  const loads: AppLoad[] = [];
  const open = () => {
    const front = createHaproxyFront({
      ...{ dir, clock, log, listen: { host: '127.0.0.1', port } },
      edge: () => ({ host: edgeAddress, port: edge.port }),
      user: () => undefined,
      onLoad: apps => loads.push(...apps),
    });
    edge.server.follow(frontDoor(front.policy(undefined)));
    return front;
  };
  const front = open();
  await front.start();
  cleanups.push(async () => {
    await front.leave();
    await stopHaproxy({ dir, clock });
    await rm(dir, { recursive: true });
  });
  const publish = async (routes: readonly Route[], by = front) => {
    edge.apply(routes);
    await by.publish({ routes });
  };
  return { front, open, edge, port, publish, loads };
}

/** An app that answers all it was asked when told. */
async function startSlowApp() {
  const waiting: ServerResponse[] = [];
  let asked = 0;
  const app = await startApp((_req, res) => {
    asked = asked + 1;
    waiting.push(res);
  });
  const finish = () => {
    for (const res of waiting.splice(0)) res.end('done');
  };
  return { app, finish, asked: () => asked };
}

describe.skipIf(!present)(
  `HAProxy before the edge${present ? '' : ' (skipped: it is not installed)'}`,
  () => {
    it('takes plain requests of awake apps past the edge, counts them, and says who the visitor is as the edge does', async () => {
      const { port, publish, edge, loads } = await startFront();
      const app = await startApp((req, res) => res.end(JSON.stringify(req.headers)));
      await publish(demo(app.port));
      const forged =
        'X-Forwarded-For: 9.9.9.9\r\nX_Forwarded_Proto: https\r\nX-Real-IP: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\n';
      const answer = await exchange(port, get('/', forged));
      const headers = JSON.parse(answer.slice(answer.indexOf('{')));
      expect(headers).toMatchObject({
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'demo.test',
        'x-forwarded-port': String(port),
      });
      expect(headers['x-request-start']).toMatch(/^\d{13}$/);
      expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
      expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x_forwarded_proto']));
      expect(headers).not.toHaveProperty('x-real-ip');
      expect(headers).not.toHaveProperty('forwarded');
      expect(edge.counters.of('demo').requests).toBe(0);
      await eventually(() => loads.some(load => load.app === 'demo' && load.requests > 0));
    });

    it.each([
      ['an upgrade', get('/', 'Upgrade: websocket\r\n')],
      ['one that waits for a 100', get('/', 'Expect: 100-continue\r\n')],
      ['a stream of events', get('/', 'Accept: text/event-stream\r\n')],
      ['one of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: demo.test\r\n\r\n'],
      [
        'one that names hops',
        'GET / HTTP/1.1\r\nHost: demo.test\r\nX-A: 1\r\nConnection: close, X-A\r\n\r\n',
      ],
    ])('leaves to the edge %s, with the visitor that it is from', async (_what, request) => {
      const { port, publish, edge } = await startFront();
      const app = await startApp((req, res) =>
        res.end(`from ${req.headers['x-forwarded-for']} ${req.headers['x-a']}`),
      );
      await publish(demo(app.port));
      const client = await openClient(port);
      client.send(request);
      const text = await client.until(/from 127\.0\.0\.1/);
      expect(text).toContain('from 127.0.0.1 undefined');
      expect(edge.counters.of('demo').requests).toBe(1);
    });

    it('answers for unknown hosts with the edge', async () => {
      const { port } = await startFront();
      expect(await exchange(port, get())).toMatch(/^HTTP\/1\.1 404 /);
    });

    it('lets the edge hold requests of an app that sleeps, and is not quiet while one is in flight', async () => {
      const { front, port, publish, edge } = await startFront();
      const { app, finish, asked } = await startSlowApp();
      const awake = demo(app.port).map(route => ({ ...route, hold }));
      const asleep = awake.map(route => ({ ...route, state: 'asleep' as const, targets: [] }));
      const id = `demo-${app.port}`;
      await publish(awake);
      const client = await openClient(port);
      client.send(get('/first'));
      await eventually(() => asked() === 1);
      await publish(asleep);
      expect(front.quiet([id])).toBe(false);
      const waiting = openClient(port).then(late => {
        late.send(get('/second'));
        return late.until(/done$/);
      });
      await eventually(() => edge.woken.length > 0);
      finish();
      expect(await client.closed()).toMatch(/done$/);
      await front.drained([id], 5000);
      expect(front.quiet([id])).toBe(true);
      await publish(awake);
      await eventually(() => asked() === 2);
      finish();
      expect(await waiting).toMatch(/^HTTP\/1\.1 200 /);
      expect(edge.counters.of('demo').requests).toBe(1);
    });

    it('loses no request while instances are replaced', async () => {
      const { front, port, publish, edge } = await startFront();
      const apps = await Promise.all(Array.from({ length: 5 }, () => startApp((_req, res) => res.end('ok'))));
      await publish(demo(apps[0]?.port ?? 0));
      let over = false;
      const statuses = new Map<string, number>();
      const visitors = Array.from({ length: 4 }, async () => {
        while (!over) {
          const status = (await exchange(port, get())).slice(9, 12);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      });
      for (const [at, app] of apps.entries()) {
        await publish(demo(app.port));
        const before = apps[at - 1];
        if (!before) continue;
        await front.drained([`demo-${before.port}`], 5000);
        before.server.closeAllConnections();
        await new Promise(resolve => before.server.close(resolve));
      }
      over = true;
      await Promise.all(visitors);
      expect([...statuses.keys()]).toEqual(['200']);
      expect(edge.counters.of('demo').requests).toBe(0);
    });

    it('is adopted by the next control, which finds what is in flight', async () => {
      const { front, open, port, publish, edge } = await startFront();
      const { app, finish, asked } = await startSlowApp();
      await publish(demo(app.port));
      const client = await openClient(port);
      client.send(get());
      await eventually(() => asked() === 1);
      await front.leave();
      const next = open();
      await next.start();
      expect(next.quiet([`demo-${app.port}`])).toBe(false);
      await publish(demo(app.port), next);
      finish();
      expect(await client.closed()).toMatch(/done$/);
      const answered = exchange(port, get());
      await eventually(() => asked() === 2);
      finish();
      expect(await answered).toMatch(/done$/);
      expect(edge.counters.of('demo').requests).toBe(0);
      await next.leave();
    });
  },
);
