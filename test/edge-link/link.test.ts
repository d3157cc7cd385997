import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import type { AppLoad, FromEdge, Route, Snapshot, ToEdge } from '../../src/domain/route.ts';
import { type EdgeLink, startEdge, stopEdge } from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';

import {
  cleanUp,
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
} from '../edge/harness.ts';
import { isGone, options, startLink } from './support.ts';

const http = { host: '127.0.0.1', port: 8123 };

describe('the link to the edge', () => {
  it('is a socket for its owner alone', async () => {
    const { dir } = await startLink();
    expect((await stat(join(dir, 'control.sock'))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o7777).toBe(0o700);
  });

  it('publishes at once when no edge is connected, and sends the last routes with the hello', async () => {
    const { link, dir } = await startLink();
    await link.publish({ routes: [] });
    await link.publish({ routes: demo(1) });
    const edge = await connectEdge(dir);
    edge.hello(0);
    await eventually(() => edge.snapshots.length === 1);
    expect(edge.snapshots[0]?.routes).toEqual(demo(1));
    expect(link.address()).toEqual(http);
  });

  it('sends only the route that changed, and everything when apps came or went', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    const other: Route = { app: 'other', domains: ['other.test'], state: 'stopped', targets: [] };
    edge.hello(0);
    await link.connected(2000);
    void link.publish({ routes: [...demo(1), other] });
    void link.publish({ routes: [...demo(2), other] });
    void link.publish({ routes: demo(2) });
    await eventually(() => edge.messages.length === 3);
    const [first, second, third] = edge.messages;
    const generation = first?.kind === 'snapshot' ? first.snapshot.generation : 0;
    expect(second).toEqual({
      kind: 'route',
      generation: generation + 1,
      after: generation,
      route: demo(2)[0],
    });
    expect(third).toMatchObject({ kind: 'snapshot', snapshot: { generation: generation + 2 } });
  });

  it('sends everything to an edge that could not use a change and says hello again', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.hello(0);
    await link.connected(2000);
    void link.publish({ routes: demo(1) });
    void link.publish({ routes: demo(2) });
    await eventually(() => edge.messages.length === 2);
    edge.hello(3);
    await eventually(() => edge.snapshots.length === 2);
    expect(edge.snapshots[1]?.routes).toEqual(demo(2));
  });

  it('drops an edge that says nonsense', async () => {
    const { dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.socket.write('{"kind":"applied","generation":-0.5,"draining":[]}\n');
    await eventually(() => edge.socket.destroyed);
  });

  it('resolves a publish when the edge uses it', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.hello(0);
    expect(await link.connected(2000)).toBe(true);
    let done = false;
    const published = link.publish({ routes: demo(1) }).then(() => {
      done = true;
    });
    await eventually(() => edge.snapshots.length === 1);
    await pause(30);
    expect(done).toBe(false);
    edge.applied([]);
    await published;
  });

  it('resolves a publish when the edge goes away, and after 2 s in any case', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.hello(0);
    await link.connected(2000);
    const began = performance.now();
    await link.publish({ routes: demo(1) });
    expect(performance.now() - began).toBeGreaterThan(1900);
    const published = link.publish({ routes: demo(2) });
    edge.socket.destroy();
    await published;
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('overtakes an edge that has a later generation, as after a clock that went back', async () => {
    const { link, dir } = await startLink();
    await link.publish({ routes: demo(1) });
    const edge = await connectEdge(dir);
    edge.hello(9_000_000_000_000);
    await eventually(() => edge.snapshots.length === 1);
    expect(edge.snapshots[0]?.generation).toBeGreaterThan(9_000_000_000_000);
  });

  it('waits until targets are drained', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.hello(0);
    await link.connected(2000);
    const published = link.publish({ routes: demo(2) });
    await eventually(() => edge.snapshots.length === 1);
    edge.applied(['a', 'b']);
    await published;
    await link.drained(['c'], 5000);
    let done = false;
    const drained = link.drained(['a', 'b'], 5000).then(() => {
      done = true;
    });
    edge.say({ kind: 'drained', target: 'a' });
    await pause(50);
    expect(done).toBe(false);
    edge.say({ kind: 'drained', target: 'b' });
    await drained;
  });

  it('gives up on draining after the time it was given', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    edge.hello(0, ['a']);
    await link.connected(2000);
    const began = performance.now();
    await link.drained(['a'], 300);
    expect(performance.now() - began).toBeGreaterThan(290);
    edge.socket.destroy();
    await pause(50);
    await link.drained(['a'], 300);
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('learns from an edge that comes back that all is drained', async () => {
    const { link, dir } = await startLink();
    await link.publish({ routes: [] });
    const first = await connectEdge(dir);
    first.hello(0, ['a']);
    await eventually(() => first.snapshots.length === 1);
    first.applied(['a']);
    const drained = link.drained(['a'], 5000);
    first.socket.destroy();
    await pause(100);
    const second = await connectEdge(dir);
    second.hello(first.snapshots[0]?.generation ?? 0);
    await drained;
  });

  it('tells of an edge that says it is overloaded, once however often it says so', async () => {
    const { link, dir } = await startLink();
    const told: number[] = [];
    link.onOverload(ms => told.push(ms));
    const edge = await connectEdge(dir);
    for (const ms of [70, 80, 90]) edge.say({ kind: 'overloaded', ms });
    edge.hello(0);
    await link.connected(2000);
    expect(told).toEqual([70]);
  });

  it('drops an edge that talks nonsense', async () => {
    const { link, dir } = await startLink();
    const edge = await connectEdge(dir);
    const closed = once(edge.socket, 'close');
    edge.socket.write('{"kind":"hello"}\n');
    await closed;
    expect(await link.connected(10)).toBe(false);
  });
});

describe('the link to several edges', () => {
  const two = async (link: EdgeLink, dir: string) => {
    const edges = [await connectEdge(dir), await connectEdge(dir)] as const;
    for (const [at, edge] of edges.entries()) {
      edge.hello(0, [], 4242 + at);
      await link.connected(2000, 4242 + at);
    }
    return edges;
  };

  it('resolves a publish when all use it', async () => {
    const { link, dir } = await startLink();
    const [one, other] = await two(link, dir);
    let done = false;
    const published = link.publish({ routes: demo(1) }).then(() => {
      done = true;
    });
    await eventually(() => one.snapshots.length === 1 && other.snapshots.length === 1);
    one.applied([]);
    await pause(30);
    expect(done).toBe(false);
    other.applied([]);
    await published;
  });

  it('takes nothing as drained while any of them has a request of it, or is away, until that one is known to be gone', async () => {
    const { link, dir } = await startLink();
    const [one, other] = await two(link, dir);
    const published = link.publish({ routes: [] });
    await eventually(() => one.snapshots.length === 1 && other.snapshots.length === 1);
    one.applied([]);
    other.applied(['a']);
    await published;
    expect([link.quiet(['a']), link.quiet(['b'])]).toEqual([false, true]);
    let done = false;
    const drained = link.drained(['a'], 20_000).then(() => {
      done = true;
    });
    other.socket.destroy();
    await eventually(() => !link.quiet(['b']));
    expect(done).toBe(false);
    link.gone(4243);
    await drained;
    expect(link.quiet(['a'])).toBe(true);
  });

  it('hears one that runs before anything counts as quiet', async () => {
    const { link, dir } = await startLink();
    const edges = await two(link, dir);
    const published = link.publish({ routes: [] });
    await eventually(() => edges.every(edge => edge.snapshots.length === 1));
    for (const edge of edges) edge.applied([]);
    await published;
    expect(link.quiet([])).toBe(true);
    link.expect(4250);
    expect(link.quiet([])).toBe(false);
    const late = await connectEdge(dir);
    late.hello(0, ['a'], 4250);
    await eventually(() => late.snapshots.length === 1);
    expect(link.quiet([])).toBe(false);
    late.applied(['a']);
    await eventually(() => link.quiet([]));
    expect(link.quiet(['a'])).toBe(false);
  });

  it('adds up what they count of an app, each request once', async () => {
    const { link, dir } = await startLink();
    const [one, other] = await two(link, dir);
    const loads: AppLoad[] = [];
    link.onLoad(apps => loads.push(...apps));
    const load = (inFlight: number, idle: number): AppLoad => {
      return { app: 'demo', inFlight, waiting: 1, mean: inFlight / 2, requests: 5, idle };
    };
    one.say({ kind: 'load', apps: [load(3, 0)] });
    await eventually(() => loads.length === 1);
    other.say({ kind: 'load', apps: [load(4, 60_000)] });
    await eventually(() => loads.length === 2);
    expect(loads[1]).toMatchObject({ inFlight: 7, waiting: 2, mean: 3.5, requests: 5 });
    expect(loads[1]?.idle).toBeLessThan(5000);
  });
});

describe('the supervisor', { timeout: 60_000 }, () => {
  it('starts an edge, restarts it on its port when it dies, and stops it', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const { link, dir } = await startLink();
    const edge = await startEdge(options(dir, link));
    cleanUp(() => edge.stop());
    const { port } = link.address() ?? { port: 0 };
    await link.publish({ routes: demo(app.port) });
    expect(await exchange(port, get())).toContain('200 OK');
    const first = edge.pids()[0] ?? 0;
    process.kill(first, 'SIGKILL');
    await eventually(() => (edge.pids()[0] ?? first) !== first, 10_000);
    expect(await link.connected(10_000, edge.pids()[0])).toBe(true);
    expect(link.address()).toEqual({ host: '127.0.0.1', port });
    expect(await exchange(port, get())).toContain('200 OK');
    const last = edge.pids()[0] ?? 0;
    await edge.stop();
    await eventually(() => isGone(last));
    expect((await readdir(dir)).filter(name => name.endsWith('.sock'))).toEqual([]);
  });

  it('adopts the edge of a control that was killed, with requests in flight unharmed', async () => {
    const app = await startRawApp(() => {});
    const { link, dir } = await startLink();
    const edge = await startEdge(options(dir, link));
    cleanUp(() => stopEdge({ dir, clock }));
    const [pid] = edge.pids();
    const { port } = link.address() ?? { port: 0 };
    await link.publish({ routes: demo(app.port) });
    const client = await openClient(port);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    await edge.leave();
    await link.close();
    const next = await startLink(dir);
    const adopted = await startEdge(options(dir, next.link));
    cleanUp(() => adopted.stop());
    expect(adopted.pids()).toEqual([pid]);
    app.sockets[0]?.write(ok);
    expect(await client.closed()).toContain('200 OK');
  });

  it('finds an edge that nobody noted', async () => {
    const { link, dir } = await startLink();
    const edge = await startEdge(options(dir, link));
    cleanUp(() => edge.stop());
    const pid = edge.pids()[0] ?? 0;
    await edge.leave();
    await stopEdge({ dir, clock });
    await eventually(() => isGone(pid));
  });

  it('replaces an edge that listens elsewhere', async () => {
    const { link, dir } = await startLink();
    const edge = await startEdge(options(dir, link));
    const old = link.address()?.port ?? 0;
    await edge.leave();
    const port = await freePort();
    const moved = await startEdge({ ...options(dir, link), http: { host: '127.0.0.1', port } });
    cleanUp(() => moved.stop());
    expect(link.address()?.port).toBe(port);
    await expect(fetch(`http://127.0.0.1:${old}/`)).rejects.toThrow();
  });

  it('says why the edge cannot start', async () => {
    const app = await startRawApp(() => {});
    const { link, dir } = await startLink();
    const taken = { ...options(dir, link), http: { host: '127.0.0.1', port: app.port } };
    await expect(startEdge(taken)).rejects.toThrow(
      `The edge could not start. Another program listens on 127.0.0.1:${app.port} already.`,
    );
  });
});

/** An edge made of words. */
async function connectEdge(dir: string) {
  const socket: Socket = connect(join(dir, 'control.sock'));
  cleanUp(() => void socket.destroy());
  const snapshots: Snapshot[] = [];
  const messages: ToEdge[] = [];
  let partial = '';
  socket.on('error', () => {});
  socket.on('data', chunk => {
    const lines = (partial + chunk).split('\n');
    partial = lines.pop() ?? '';
    for (const message of lines.map(line => JSON.parse(line) as ToEdge)) {
      messages.push(message);
      if (message.kind === 'snapshot') snapshots.push(message.snapshot);
    }
  });
  await once(socket, 'connect');
  const say = (message: FromEdge) => void socket.write(`${JSON.stringify(message)}\n`);
  return {
    socket,
    snapshots,
    messages,
    say,
    hello: (generation: number, draining: string[] = [], pid = 4242) =>
      say({ kind: 'hello', generation, pid, version: 'test', state: 'serving', http, draining }),
    applied: (draining: string[]) =>
      say({ kind: 'applied', generation: snapshots.at(-1)?.generation ?? 0, draining }),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
