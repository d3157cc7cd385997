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
  socket = join(dir, 'metrics.sock');
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
