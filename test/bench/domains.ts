// What many domains cost: from a change in the store until the edge's process uses it, and the search for a request's app.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readAnswers } from '../../src/domain/error-page.ts';
import { parseAppName, parseDomain } from '../../src/domain/names.ts';
import { proxyKey, readRoutePolicy } from '../../src/domain/proxying.ts';
import type { Routing } from '../../src/domain/route.ts';
import { readHoldPolicy, sleepKey } from '../../src/domain/sleeping.ts';
import { createCounters } from '../../src/edge/counters.ts';
import { buildTable } from '../../src/edge/routes.ts';
import { createEdgeLink, startEdge } from '../../src/edge-link/index.ts';
import { createRouteBook, type RouteBook } from '../../src/route-book.ts';
import { createSeal } from '../../src/store/seal.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { systemClock as clock } from '../../src/system/clock.ts';
import { createLog } from '../../src/system/log.ts';
import { median, quantile } from './report.ts';

export type DomainFigures = {
  /** Milliseconds from a domain's row until the edge has acknowledged all routes. */
  readonly snapshot_ms: number;
  readonly snapshot_ms_p95: number;
  /** Microseconds of one search among exact names, wildcards and hosts of nobody. */
  readonly lookup_us: number;
};

export type DomainCounts = { readonly apps: number; readonly domains: number; readonly runs: number };

/** 1,000 apps and 10,000 domains, unless told otherwise. */
export async function domainFigures(
  { apps, domains, runs }: DomainCounts = { apps: 1000, domains: 10_000, runs: 20 },
): Promise<DomainFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-bench-'));
  const store = openStore(join(dir, 'wherry.db'), createSeal(randomBytes(32)));
  const link = createEdgeLink({ dir: join(dir, 'edge'), log: createLog('bench'), clock, user: null });
  const published: { routing?: Routing } = {};
  const book = createRouteBook(
    store,
    {
      publish(routing, pem) {
        published.routing = routing;
        return link.publish(routing, pem);
      },
      drained: () => Promise.resolve(),
      quiet: () => true,
    },
    rulesOf(store),
  );
  await fill(store, book, { apps, domains });
  await link.listen();
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const edge = await startEdge({
    dir: join(dir, 'edge'),
    http: { host: '127.0.0.1', port: 0 },
    link,
    argv: [process.execPath, ...process.execArgv, main, 'edge'],
    version: 'bench',
    log: createLog('bench'),
    clock,
  });
  try {
    await book.publish();
    const samples = [];
    for (let run = 0; run < runs; run++) samples.push(await addDomain(store, book, run));
    if (!published.routing) throw new Error('Nothing was published.');
    return {
      snapshot_ms: median(samples),
      snapshot_ms_p95: quantile(samples, 0.95),
      lookup_us: lookups(published.routing, 1_000_000),
    };
  } finally {
    await edge.stop();
    await link.close();
    store.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** As the daemon reads them. */
function rulesOf(store: Store): Parameters<typeof createRouteBook>[2] {
  return {
    hold: ({ id }) => readHoldPolicy(name => store.properties.resolve(id, sleepKey(name)), 30_000),
    answers: ({ id }) => readAnswers(name => store.properties.get(`app:${id}`, name)),
    policy: ({ id }) => readRoutePolicy(name => store.properties.resolve(id, proxyKey(name))),
    ports: () => [],
    edge: () => undefined,
    others: () => [],
    proofs: { answers: () => ({}), certificates: () => [], pem: () => undefined },
  };
}

/** Each app serves with one instance, and has a wildcard among its names. */
async function fill(
  store: Store,
  book: RouteBook,
  { apps, domains }: { apps: number; domains: number },
): Promise<void> {
  const each = Math.floor(domains / apps);
  store.transaction(() => {
    for (let at = 0; at < apps; at++) {
      const app = store.apps.create(parseAppName(`app${at}`), clock.now());
      store.domains.add(app, parseDomain(`*.app${at}.example.org`));
      for (let name = 1; name < each; name++)
        store.domains.add(app, parseDomain(`www${name}.app${at}.example.com`));
    }
  });
  for (const { name } of store.apps.list())
    await book.set(name, { kind: 'serving' }, [{ id: `${name}-1`, host: '127.0.0.1', port: 1 }]);
}

async function addDomain(store: Store, book: RouteBook, run: number): Promise<number> {
  const began = performance.now();
  store.domains.add(store.apps.get(parseAppName('app0')), parseDomain(`new${run}.example.net`));
  await book.publish();
  return performance.now() - began;
}

function lookups(routing: Routing, count: number): number {
  const table = buildTable(
    { generation: 1, ...routing },
    { pools: new Map(), counters: createCounters(), stickyKey: Buffer.alloc(32) },
  );
  const names = routing.routes.flatMap(({ domains }) => domains.map(name => name.replace('*', 'any')));
  const hosts = [...names, ...names.slice(0, names.length / 10).map(name => `no.${name}`)];
  // A stride that shares no divisor with the number of hosts visits all of them, far apart.
  const stride = 7919;
  let found = 0;
  const began = performance.now();
  for (let at = 0; at < count; at++) if (table.find(hosts[(at * stride) % hosts.length] ?? '')) found++;
  const took = performance.now() - began;
  if (found === 0 || found === count) throw new Error(`${found} of ${count} hosts were found.`);
  return (1000 * took) / count;
}
