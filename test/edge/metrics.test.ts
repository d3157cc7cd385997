import { describe, expect, it } from 'vitest';
import { LoopLag } from '../../src/edge/loop-lag.ts';
import { renderMetrics } from '../../src/edge/metrics.ts';
import {
  closedPort,
  demo,
  eventually,
  exchange,
  get,
  ok,
  openClient,
  startRawApp,
  startTestEdge,
  type TestEdge,
} from './harness.ts';

const metricsOf = ({ counters }: TestEdge) =>
  renderMetrics({ counters, connections: 3, loopLag: 12, droppedLines: 4, generation: 5 });

describe('metrics', () => {
  it('count requests by app, method and class, what failed, and what is open (A6.19c)', async () => {
    const app = await startRawApp((socket, text) => {
      if (text.includes('websocket'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      else if (text.includes('/no')) socket.write('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n');
      else if (text.includes('/garbage')) socket.write('hello\r\n\r\n');
      else if (!text.includes('/never')) socket.write(ok);
    });
    const edge = await startTestEdge(demo(app.port));
    for (const path of ['/', '/', '/no', '/garbage']) await exchange(edge.port, get(path));
    await exchange(edge.port, get().replace('GET', 'POST'));
    await exchange(edge.port, get().replace('demo', 'nobody'));
    const [never, socket] = [await openClient(edge.port), await openClient(edge.port)];
    never.send(get('/never'));
    socket.send('GET / HTTP/1.1\r\nHost: demo.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await socket.until('101');
    await eventually(() => app.received.join('').includes('/never'));

    const text = metricsOf(edge);
    for (const line of [
      'wherry_edge_requests_total{app="demo",code="1xx",method="GET"} 1',
      'wherry_edge_requests_total{app="demo",code="2xx",method="GET"} 2',
      'wherry_edge_requests_total{app="demo",code="4xx",method="GET"} 1',
      'wherry_edge_requests_total{app="demo",code="5xx",method="GET"} 1',
      'wherry_edge_requests_total{app="demo",code="2xx",method="POST"} 1',
      'wherry_edge_upstream_errors_total{app="demo",kind="protocol"} 1',
      'wherry_edge_refused_total{reason="unknown-host"} 1',
      'wherry_edge_in_flight{app="demo"} 2',
      'wherry_edge_ws_open{app="demo"} 1',
      'wherry_edge_connections 3',
      'wherry_edge_event_loop_lag_seconds 0.012',
      'wherry_edge_access_lines_dropped_total 4',
      'wherry_edge_snapshot_generation 5',
    ])
      expect(text.split('\n')).toContain(line);
    socket.socket.destroy();
    never.socket.destroy();
    await eventually(() => metricsOf(edge).includes('wherry_edge_ws_open{app="demo"} 0\n'));
    await eventually(() => metricsOf(edge).includes('wherry_edge_aborted_total{app="demo"} 1\n'));
  });

  it('count second tries and instances that do not accept', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const gone = await closedPort();
    const edge = await startTestEdge(demo(gone, app.port));
    for (let i = 0; i < 8; i++) await exchange(edge.port, get());
    const text = metricsOf(edge);
    const retries = Number(/retries_total\{app="demo"\} (\d+)/.exec(text)?.[1]);
    expect(retries).toBeGreaterThan(0);
    expect(text).toContain(`wherry_edge_upstream_errors_total{app="demo",kind="refused"} ${retries}\n`);
  });

  it('are as many whatever visitors send, and none of an app that is gone', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(demo(app.port));
    const methods = ['GET', 'PROPFIND', 'MKCOL', 'REPORT', 'PURGE', 'M-SEARCH', 'TRACE'];
    for (const method of methods)
      await exchange(edge.port, get('/a"b\\', 'X-Request-ID: evil-123\r\n').replace('GET', method));
    const text = metricsOf(edge);
    expect(text.match(/^wherry_edge_requests_total\{.*$/gm)).toEqual([
      'wherry_edge_requests_total{app="demo",code="2xx",method="GET"} 1',
      'wherry_edge_requests_total{app="demo",code="2xx",method="other"} 6',
    ]);
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) wherry_edge_[a-z_]+ .+|wherry_edge_[a-z_]+(?:\{[a-z]+="[\w.-]+"(?:,[a-z]+="[\w.-]+")*\})? [\d.]+)$/,
      );
    edge.apply([]);
    expect(metricsOf(edge)).not.toContain('demo');
  });
});

describe('a stall of the event loop', () => {
  it('is said once, and again when it is worse, and remembered over the minute', () => {
    const said: number[] = [];
    const note = () => {};
    const log = {
      debugging: false,
      child: () => log,
      debug: note,
      info: note,
      error: note,
      warn: (fields: object) => void said.push((fields as { ms: number }).ms),
    };
    const histogram = {
      max: 21e6,
      usual: 21e6,
      percentile: () => histogram.usual,
      reset: () => Object.assign(histogram, { max: 0 }) as unknown,
    };
    const overloads: number[] = [];
    const lag = new LoopLag({ log, histogram, overloaded: ms => overloads.push(ms) });
    const start = performance.now();
    lag.everySecond(start);
    expect(said).toEqual([]);
    for (const max of [90e6, 90e6, 120e6, 120e6]) {
      histogram.max = max;
      lag.everySecond(start + 1000);
    }
    expect(said).toEqual([70, 100]);
    lag.everySecond(start + 61_000);
    expect([histogram.max, lag.worst]).toEqual([0, 100]);
    expect(overloads).toEqual([]);
    histogram.usual = 80e6;
    lag.everySecond(start + 100_000);
    expect(overloads).toEqual([]);
    lag.everySecond(start + 122_000);
    expect(lag.worst).toBe(0);
    expect(overloads).toEqual([60]);
  });
});
