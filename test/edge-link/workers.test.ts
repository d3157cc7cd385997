import { describe, expect, it } from 'vitest';
import type { AppLoad } from '../../src/domain/route.ts';
import { startEdge, stopEdge } from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { cleanUp, demo, eventually, get, ok, openClient, startApp, startRawApp } from '../edge/harness.ts';
import { isGone, options, startFreshConnections, startLink } from './support.ts';

describe('several workers of the edge', { timeout: 60_000 }, () => {
  it('share the port, and one that is killed is replaced alone, with no connection refused', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, edge, port } = await started(app.port, 3);
    const [first = 0, ...others] = edge.pids();
    expect(others.length).toBe(2);
    const fresh = startFreshConnections(port);
    process.kill(first, 'SIGKILL');
    await eventually(() => edge.pids().length === 3 && !edge.pids().includes(first), 20_000);
    expect(edge.pids()).toEqual(expect.arrayContaining(others));
    const { sent, failures } = await fresh.end();
    // What it had in its hands is lost with it.
    expect(failures.filter(failure => !/ECONNRESET|^$/.test(failure))).toEqual([]);
    expect(failures.length).toBeLessThanOrEqual(1);
    expect(sent).toBeGreaterThan(10);
    await eventually(() => link.quiet([]), 5000);
  });

  it('are counted together, whichever of them has the requests', async () => {
    const app = await startRawApp(() => {});
    const { link, edge, port } = await started(app.port, 2);
    const loads = new Map<string, AppLoad>();
    link.onLoad(apps => {
      for (const load of apps) loads.set(load.app, load);
    });
    const [one = 0, other = 0] = edge.pids();
    const clients = [
      ...(await clientsWithout(one, { port, count: 2, arrived: () => app.sockets.length === 2 })),
      ...(await clientsWithout(other, { port, count: 3, arrived: () => app.sockets.length === 5 })),
    ];
    await eventually(() => loads.get('demo')?.inFlight === 5);

    await link.publish({ routes: [] });
    const target = [`demo-${app.port}`];
    for (const socket of app.sockets) {
      expect(link.quiet(target)).toBe(false);
      socket.write(ok);
    }
    for (const client of clients) expect(await client.closed()).toContain('200 OK');
    await eventually(() => link.quiet(target), 5000);
  });

  it('are as many as control is told when it starts anew', async () => {
    const app = await startApp((_req, res) => res.end('here'));
    const { link, dir, edge, port } = await started(app.port, 1);
    const fresh = startFreshConnections(port);
    await edge.leave();
    const more = await startEdge({ ...options(dir, link), workers: 3 });
    expect(more.pids().length).toBe(3);
    expect(more.pids()[0]).toBe(edge.pids()[0]);
    await link.publish({ routes: demo(app.port) });
    await more.leave();
    const fewer = await startEdge({ ...options(dir, link), workers: 2 });
    cleanUp(() => fewer.leave());
    expect(fewer.pids().length).toBe(2);
    const [surplus = 0] = more.pids().filter(pid => !fewer.pids().includes(pid));
    await eventually(() => isGone(surplus), 10_000);
    expect((await fresh.end()).failures).toEqual([]);
  });
});

async function started(target: number, workers: number) {
  const { link, dir } = await startLink();
  cleanUp(() => stopEdge({ dir, clock, timeout: 0 }));
  const edge = await startEdge({ ...options(dir, link), workers });
  cleanUp(() => edge.leave());
  await link.publish({ routes: demo(target) });
  return { link, dir, edge, port: link.address()?.port ?? 0 };
}

/** Requests that the other worker takes, because this one cannot. */
async function clientsWithout(
  stopped: number,
  { port, count, arrived }: { port: number; count: number; arrived: () => boolean },
) {
  process.kill(stopped, 'SIGSTOP');
  try {
    const clients = await Promise.all(Array.from({ length: count }, () => openClient(port)));
    for (const client of clients) client.send(get());
    await eventually(arrived);
    return clients;
  } finally {
    process.kill(stopped, 'SIGCONT');
  }
}
