import { describe, expect, it } from 'vitest';
import {
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
} from './harness.ts';

describe('a target that leaves the routes', () => {
  it('takes no new request, finishes what it has, and is then drained (A6.16a)', async () => {
    const old = await startRawApp(() => {});
    const next = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(old.port));
    const client = await openClient(edge.port);
    client.send(get('/slow'));
    await eventually(() => old.received.join('').includes('/slow'));
    edge.apply(demo(next.port));
    for (let i = 0; i < 5; i++) expect(await exchange(edge.port, get())).toContain('200 OK');
    expect(old.received.join('').match(/GET/g)?.length).toBe(1);
    expect(edge.targets.draining()).toEqual([`demo-${old.port}`]);
    expect(edge.drained).toEqual([]);
    old.sockets[0]?.write(ok);
    expect(await client.closed()).toContain('200 OK');
    await eventually(() => edge.drained.length === 1);
    expect(edge.drained).toEqual([`demo-${old.port}`]);
    expect(edge.targets.draining()).toEqual([]);
    await eventually(() => old.sockets[0]?.destroyed === true);
  });

  it('is drained at once when it has nothing in flight, and its idle connections close', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    await exchange(edge.port, get());
    edge.apply([]);
    expect(edge.drained).toEqual([`demo-${app.port}`]);
    await eventually(() => app.sockets[0]?.destroyed === true);
  });

  it('serves again when a later snapshot has it, with the count it had', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send(get());
    await eventually(() => app.received.join('').includes('GET'));
    edge.apply([]);
    edge.apply(demo(app.port));
    expect(edge.targets.pools.get(`demo-${app.port}`)?.inFlight).toBe(1);
    app.sockets[0]?.write(ok);
    await client.closed();
    await pause(20);
    expect(edge.drained).toEqual([]);
  });

  it('under load loses no request (A6.16b)', async () => {
    const apps = await Promise.all(
      [1, 2, 3].map(() => startRawApp(socket => setTimeout(() => socket.write(ok), 3))),
    );
    const edge = await startTestEdge(demo(apps[0]?.port ?? 0));
    let over = false;
    const failed: string[] = [];
    let served = 0;
    const clients = Array.from({ length: 8 }, async () => {
      while (!over) {
        const answer = await exchange(edge.port, get());
        if (answer.includes('200 OK')) served++;
        else failed.push(answer);
      }
    });
    for (let i = 0; i < 20; i++) {
      await pause(25);
      edge.apply(demo(apps[i % 3]?.port ?? 0));
    }
    over = true;
    await Promise.all(clients);
    expect(failed).toEqual([]);
    expect(served).toBeGreaterThan(50);
  });
});

describe('stopping', () => {
  it('finishes what is in flight, closes idle clients and takes no more', async () => {
    const app = await startRawApp(() => {});
    const edge = await startTestEdge(demo(app.port));
    const idle = await openClient(edge.port);
    const busy = await openClient(edge.port);
    busy.send('GET / HTTP/1.1\r\nHost: demo.test\r\n\r\n');
    await eventually(() => app.received.join('').includes('GET'));
    const stopped = edge.stop(5000);
    await idle.closed();
    app.sockets[0]?.write(ok);
    expect(await busy.closed()).toMatch(/Connection: close\r\n[\s\S]*ok$/);
    await stopped;
    await expect(fetch(`http://127.0.0.1:${edge.port}/`)).rejects.toThrow();
  });

  it('cuts what is left after its time, websockets too (A6.16c)', async () => {
    const app = await startRawApp(socket =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'),
    );
    const edge = await startTestEdge(demo(app.port));
    const client = await openClient(edge.port);
    client.send('GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until('101');
    await edge.stop(100);
    await client.closed();
  });
});
