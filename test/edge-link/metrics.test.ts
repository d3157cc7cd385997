import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serveMetrics as serveByEdge } from '../../src/edge/metrics-server.ts';
import { readEdgeMetrics, serveMetrics } from '../../src/edge-link/index.ts';

const cleanups: (() => unknown)[] = [];
let dir: string;
let socket: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wherry-metrics-'));
  socket = join(dir, 'metrics-4242.sock');
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const away = expect.objectContaining({ code: 'unavailable' });

describe('the metrics of the edge', () => {
  it('come over its socket, also when an edge before it left one behind', async () => {
    await writeFile(socket, '');
    const edge = await serveByEdge(socket, () => 'a 1\n');
    cleanups.push(() => edge.close());
    expect(await readEdgeMetrics(dir)).toBe('a 1\n');
  });

  it('are those of all edges added up, but the longest stall, and without one that is gone', async () => {
    const text = (own: string, count: number, lag: number) =>
      `# HELP a_total Help.\n# TYPE a_total counter\na_total{app="x"} ${count}\na_total{app="${own}"} 1\n` +
      `# TYPE wherry_edge_event_loop_lag_seconds gauge\nwherry_edge_event_loop_lag_seconds ${lag}\n`;
    const one = await serveByEdge(socket, () => text('y', 3, 0.5));
    const two = await serveByEdge(join(dir, 'metrics-4243.sock'), () => text('z', 4, 0.25));
    cleanups.push(
      () => one.close(),
      () => two.close(),
    );
    await writeFile(join(dir, 'metrics-4244.sock'), '');
    const lines = (await readEdgeMetrics(dir)).trimEnd().split('\n');
    expect(lines.filter(line => line.startsWith('#')).length).toBe(3);
    expect(lines.filter(line => !line.startsWith('#'))).toEqual([
      'a_total{app="x"} 7',
      'a_total{app="y"} 1',
      'a_total{app="z"} 1',
      'wherry_edge_event_loop_lag_seconds 0.5',
    ]);
  });

  it('are said to be unavailable when it is away, or has put something else there', async () => {
    await expect(readEdgeMetrics(dir)).rejects.toEqual(away);
    const other = createServer((_req, res) => res.end('secret')).listen(join(dir, 'other.sock'));
    cleanups.push(() => other.close());
    await symlink(join(dir, 'other.sock'), socket);
    await expect(readEdgeMetrics(dir)).rejects.toEqual(away);
  });

  it('are served at an address, and nothing else is', async () => {
    const edge = await serveByEdge(socket, () => 'a 1\n');
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, () => readEdgeMetrics(dir));
    cleanups.push(() => server.close());
    const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    const answer = await ask('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await answer.text()).toBe('a 1\n');
    expect((await ask('/')).status).toBe(404);
    expect((await ask('/metrics', 'POST')).status).toBe(404);
    edge.closeAllConnections();
    await new Promise(resolve => edge.close(resolve));
    expect((await ask('/metrics')).status).toBe(503);
    await expect(serveMetrics({ host: '127.0.0.1', port: server.port }, async () => '')).rejects.toEqual(
      expect.objectContaining({ code: 'conflict' }),
    );
  });
});
