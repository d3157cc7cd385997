import { describe, expect, it } from 'vitest';
import { cleanUp, demo, eventually, get, ok, openClient, startRawApp, startTestEdge } from './harness.ts';

// In real time: Node's own clock for heads cannot be turned.
describe('a head', { timeout: 30_000 }, () => {
  it('that comes a byte a second, and a client that says nothing, are given up after 10 s (A6.13a)', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    const [slow, second, silent] = await Promise.all([1, 2, 3].map(() => openClient(edge.port)));
    if (!slow || !second || !silent) throw new Error('three clients were opened');
    second.send(get().replace('Connection: close\r\n', ''));
    await second.until('ok');
    const begun = performance.now();
    for (const client of [slow, second]) client.send('GET / HTTP/1.1\r\nHost: demo.test\r\nX: ');
    const drip = setInterval(() => {
      for (const { socket } of [slow, second]) if (socket.writable) socket.write('x');
    }, 1000);
    cleanUp(() => clearInterval(drip));

    await eventually(() => slow.text().includes('</html>'), 20_000);
    expect(performance.now() - begun).toBeGreaterThan(9000);
    expect(await slow.closed()).toMatch(/^HTTP\/1\.1 408 [\s\S]*X-Wherry-Reason: slow-request/);
    expect(await second.closed()).toMatch(/ok[\s\S]*HTTP\/1\.1 408 /);
    expect(await silent.closed()).toBe('');
    expect(edge.counters.refused.get('silent-connection')).toBe(1);
    expect(app.received.join('').match(/GET/g)?.length).toBe(1);
  });
});
