import { describe, expect, it } from 'vitest';
import {
  closedPort,
  demo,
  demoWith,
  eventually,
  get,
  ok,
  openClient,
  pause,
  startRawApp,
  startTestEdge,
} from './harness.ts';

const post =
  'POST / HTTP/1.1\r\nHost: demo.test\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n';

describe('a client that waits for a 100', () => {
  it('gets it when an instance has room, not before (A6.7a)', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('body') && socket.write(ok));
    const { port } = await startTestEdge(demoWith({ hardLimit: 1 }, app.port));
    const first = await openClient(port);
    first.send(get('/first'));
    await eventually(() => app.received.join('').includes('/first'));
    const client = await openClient(port);
    client.send(post);
    await pause(100);
    expect(client.text()).toBe('');
    app.sockets[0]?.write(ok);
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send('body');
    expect(await client.closed()).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*ok$/);
  });

  it('gets it once, also when the first instance does not accept (A6.7a)', async () => {
    const app = await startRawApp((socket, text) => text.endsWith('body') && socket.write(ok));
    const { port } = await startTestEdge(demo(await closedPort(), app.port));
    for (let i = 0; i < 6; i++) {
      const client = await openClient(port);
      client.send(post);
      await client.until('100 Continue');
      client.send('body');
      expect((await client.closed()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
    }
  });

  it('gets none of an app that refuses connections (A6.7c)', async () => {
    const { port } = await startTestEdge(demo(await closedPort()));
    const client = await openClient(port);
    client.send(post);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 502 /);
  });
});
