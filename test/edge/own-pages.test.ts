import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../src/domain/route.ts';
import { CustomPages } from '../../src/edge/custom-pages.ts';
import { cleanUp, closedPort, demo, exchange, get, ok, startRawApp, startTestEdge } from './harness.ts';

const texts: Record<string, string> = {
  a: '<h1>Ours: failed</h1>',
  b: '<h1>Ours: busy</h1>',
  c: '<h1>Ours: à jour</h1>',
};
const pageText = (sum: string) => texts[sum];
const own = (route: Partial<Route>, ...ports: number[]): Route[] =>
  demo(...ports).map(each => ({ ...each, pages: { '502': 'a', '503': 'b', maintenance: 'c' }, ...route }));

describe('pages of an app’s own', () => {
  it('are in the place of the edge’s, with status, reason and Retry-After kept (A6.15f)', async () => {
    const edge = await startTestEdge(own({}, await closedPort()), { pageText });
    const failed = await exchange(edge.port, get());
    expect(failed).toMatch(
      /^HTTP\/1\.1 502 [\s\S]*X-Wherry-Reason: app-refused\r\n[\s\S]*<h1>Ours: failed<\/h1>$/,
    );
    edge.apply(own({ state: 'stopped' }));
    const stopped = await exchange(edge.port, get());
    expect(stopped).toMatch(/^HTTP\/1\.1 503 [\s\S]*Retry-After: 60\r\n[\s\S]*<h1>Ours: busy<\/h1>$/);
    expect(stopped).toContain('Content-Type: text/html; charset=utf-8\r\n');
  });

  it('leave JSON to those who ask for it, HEAD without a body, and what they are not for', async () => {
    const edge = await startTestEdge(own({ state: 'stopped', policy: { bodyLimit: 1 } }), { pageText });
    expect(await exchange(edge.port, get('/', 'Accept: application/json\r\n'))).toContain(
      '"code":"app-stopped"',
    );
    expect(await exchange(edge.port, get().replace('GET', 'HEAD'))).toMatch(
      /Content-Length: 19\r\n[\s\S]*\r\n\r\n$/,
    );
    const app = await startRawApp(() => {});
    edge.apply(own({ policy: { bodyLimit: 1 } }, app.port));
    const post = 'POST / HTTP/1.1\r\nHost: demo.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\n';
    expect(await exchange(edge.port, post)).toMatch(/^HTTP\/1\.1 413 [\s\S]*Request too large/);
  });

  it('give way to the edge’s when they cannot be found', async () => {
    const edge = await startTestEdge(own({ state: 'stopped', pages: { '503': 'unknown' } }), { pageText });
    expect(await exchange(edge.port, get())).toMatch(/^HTTP\/1\.1 503 [\s\S]*App demo is stopped/);
  });
});

describe('maintenance', () => {
  it('answers with a 503, an app that sleeps too, and wakes nothing', async () => {
    const app = await startRawApp(socket => socket.write(ok));
    const edge = await startTestEdge(own({ maintenance: true }, app.port), { pageText });
    expect(await exchange(edge.port, get())).toMatch(
      /^HTTP\/1\.1 503 [\s\S]*X-Wherry-Reason: maintenance\r\nRetry-After: 60\r\n[\s\S]*Ours: \xc3\xa0 jour/,
    );
    const hold = { timeout: 9000, queue: 9, waitingPage: false, ignorePaths: [], ignoreAgents: [] };
    edge.apply([
      { app: 'demo', domains: ['demo.test'], state: 'asleep', targets: [], hold, maintenance: true },
    ]);
    expect(await exchange(edge.port, get())).toContain('App demo is down for maintenance.');
    expect(edge.woken).toEqual([]);
    expect(app.received).toEqual([]);
    edge.apply(demo(app.port));
    expect(await exchange(edge.port, get())).toContain('200 OK');
  });
});

describe('the pages in memory', () => {
  const [one, two] = ['1'.repeat(64), '2'.repeat(64)];
  const routes = (...sums: string[]) => ({
    generation: 1,
    routes: sums.map(sum => ({ ...(demo()[0] as Route), pages: { '503': sum } })),
  });

  it('are those that a route names', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'wherry-pages-'));
    cleanUp(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, `${one}.html`), 'one');
    await writeFile(join(dir, 'secret.html'), 'secret');
    const warned: string[] = [];
    const note = () => {};
    const log = {
      debugging: false,
      child: () => log,
      debug: note,
      info: note,
      error: note,
      warn: (_fields: object, text: string) => void warned.push(text),
    };
    const pages = new CustomPages(dir, log);
    await pages.sync(routes(one, two, 'secret', '../secret'));
    expect([one, two, 'secret', '../secret'].map(sum => pages.text(sum))).toEqual([
      'one',
      undefined,
      undefined,
      undefined,
    ]);
    expect(warned).toEqual(['a page of an app cannot be read']);
    await writeFile(join(dir, `${two}.html`), 'two');
    const overtaken = pages.sync(routes(one));
    await pages.sync(routes(two));
    await overtaken;
    expect([pages.text(one), pages.text(two)]).toEqual([undefined, 'two']);
  });
});
