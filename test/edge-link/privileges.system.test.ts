import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  createEdgeLink,
  createPageFiles,
  readEdgeMetrics,
  startEdge,
  stopEdge,
} from '../../src/edge-link/index.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { silentLog as log } from '../../src/system/log.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe('the edge under root', () => {
  it('binds a low port, then is nobody, in a folder whose parents are closed to it', async () => {
    const closed = await mkdtemp('/root/wherry-edge-');
    cleanups.push(() => rm(closed, { recursive: true, force: true }));
    const dir = join(closed, 'edge');
    const link = createEdgeLink({ dir, log, clock });
    await link.listen();
    cleanups.push(() => link.close());
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const argv = [process.execPath, '--import', import.meta.resolve('tsx'), main, 'edge'];
    const port = await freeLowPort();
    const http = { host: '127.0.0.1', port };
    const options = { dir, http, link, argv, log, clock };
    const edge = await startEdge({ ...options, version: 'one' });
    cleanups.push(() => stopEdge({ dir, clock }));
    cleanups.push(() => edge.leave());
    await link.publish({ routes: [{ app: 'a', domains: ['a.test'], state: 'stopped', targets: [] }] });

    const { uid = -1, gid = -1 } = link.user() ?? {};
    expect(uid).toBeGreaterThan(0);
    expectNobody(edge.pids()[0], { uid, gid });
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
    await ask(port);

    await expect.poll(() => readFile(join(dir, 'snapshot.json'), 'utf8').catch(() => '')).toContain('a.test');
    const access = join(dir, 'access', 'a.log');
    await expect.poll(() => readFile(access, 'utf8').catch(() => '')).toContain('/logged');
    const sum = await createPageFiles({ dir, user: () => link.user() }).put('<h1>Ours</h1>');
    const pages = { '503': sum };
    await link.publish({ routes: [{ app: 'a', domains: ['a.test'], state: 'stopped', targets: [], pages }] });
    await expect.poll(() => ask(port)).toBe('<h1>Ours</h1>');
    expect((await stat(join(dir, 'pages'))).mode & 0o7777).toBe(0o750);
    expect((await stat(access)).uid).toBe(uid);
    expect(await readEdgeMetrics(dir)).toMatch(/requests_total\{app="a",code="5xx",method="GET"\} [1-9]/);
    for (const folder of [dir, join(dir, 'access')]) {
      expect((await stat(folder)).mode & 0o7777).toBe(0o1770);
      expect((await stat(folder)).uid).toBe(0);
    }
    for (const name of ['control.sock', 'edge.log']) expect((await stat(join(dir, name))).uid).toBe(0);

    await edge.leave();
    const next = await startEdge({ ...options, version: 'two' });
    cleanups.push(() => next.leave());
    expect(next.pids()).not.toEqual(edge.pids());
    expectNobody(next.pids()[0], { uid, gid });
    await expect.poll(() => ask(port)).toBe('<h1>Ours</h1>');
    expect((await stat(join(dir, 'control.sock'))).mode & 0o777).toBe(0o660);
  });
});

function expectNobody(pid: number | undefined, { uid, gid }: { uid: number; gid: number }): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  expect(status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
  expect(status).toMatch(new RegExp(`^Gid:\t${gid}\t${gid}\t${gid}\t${gid}$`, 'm'));
  expect(status).toMatch(/^Groups:\s*$/m);
  expect(status).toMatch(/^CapEff:\t0{16}$/m);
  expect(status).toMatch(/^CapPrm:\t0{16}$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
}

/** The body of an answer for a.test. */
function ask(port: number): Promise<string> {
  const options = { host: '127.0.0.1', port, path: '/logged', headers: { host: 'a.test' } };
  return new Promise((resolve, reject) => {
    get(options, res => {
      let text = '';
      res.setEncoding('utf8').on('data', piece => {
        text += piece;
      });
      res.once('end', () => resolve(text));
    }).once('error', reject);
  });
}

/** One that only root may take; `fetch` refuses some below 996. */
async function freeLowPort(): Promise<number> {
  for (let port = 1023; port > 996; port--) {
    const server = createServer();
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) return new Promise(resolve => server.close(() => resolve(port)));
  }
  throw new Error('No port from 997 to 1023 is free.');
}
