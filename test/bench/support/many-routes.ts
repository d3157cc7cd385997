import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAppName, parseDomain } from '../../../src/domain/names.ts';
import type { Route } from '../../../src/domain/route.ts';
import { createCounters } from '../../../src/edge/counters.ts';
import { parseHost } from '../../../src/edge/host.ts';
import { buildTable } from '../../../src/edge/routes.ts';
import { Targets } from '../../../src/edge/targets.ts';
import { createEdgeLink } from '../../../src/edge-link/index.ts';
import { loadKey } from '../../../src/store/key-file.ts';
import { createSeal } from '../../../src/store/seal.ts';
import { openStore } from '../../../src/store/store.ts';
import { systemClock as clock } from '../../../src/system/clock.ts';
import { spawn } from '../../../src/system/exec.ts';
import { silentLog as log } from '../../../src/system/log.ts';
import { createPaths } from '../../../src/system/paths.ts';
import { sleep } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import { median } from '../report.ts';
import { pss } from './pss.ts';

export type Size = { readonly apps: number; readonly domains: number };

const main = new URL('../../../dist/src/main.js', import.meta.url).pathname;
const lookUps = 1_000_000;

/** Each app with its share of the domains, one in ten of them a wildcard, and one instance. */
function routesOf({ apps, domains }: Size): Route[] {
  return Array.from({ length: apps }, (_, app) => ({
    app: `app-${app}`,
    domains: domainsOf(app, domains / apps),
    state: 'serving',
    targets: [{ id: `app-${app}.web.1`, host: `10.${app >> 8}.${app & 255}.2`, port: 5000 }],
  }));
}

function domainsOf(app: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${at % 10 === 9 ? '*.' : ''}site-${at}.app-${app}.test`);
}

/** An edge of its own that is sent so many routes: milliseconds until it uses them, and the megabytes that it takes then. */
export async function edgeOf(size: Size, runs: number): Promise<{ snapshot: number; memory: number }> {
  const dir = mkdtempSync(join(tmpdir(), 'wherry-bench-edge-'));
  const link = createEdgeLink({ dir, log, clock, user: null });
  await link.listen();
  const edge = spawn(process.execPath, [main, 'edge', '--http', '127.0.0.1:0', '--dir', dir], {
    stdio: 'ignore',
  });
  try {
    if (!(await link.connected(20_000))) throw new Error('The edge did not start.');
    const routes = routesOf(size);
    const times: number[] = [];
    for (let run = 0; run <= runs; run += 1) {
      // Two routes differ from the last ones: one alone would be sent alone.
      const changed = routes.map((route, at): Route => (at < 2 ? { ...route, reason: `run ${run}` } : route));
      const begun = performance.now();
      await link.publish({ routes: changed });
      if (run > 0) times.push(performance.now() - begun);
      await sleep(200);
    }
    await sleep(3000);
    return { snapshot: median(times), memory: pss(edge.pid ?? 0) };
  } finally {
    const ended = once(edge, 'exit');
    edge.kill('SIGKILL');
    await ended;
    await link.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Microseconds to find the app of a host, exact and wildcard ones in turn. */
export function lookUpTime(size: Size): number {
  const snapshot = { generation: 1, routes: routesOf(size) };
  const targets = new Targets(() => {});
  targets.sync(snapshot);
  const table = buildTable(snapshot, {
    pools: targets.pools,
    counters: createCounters(),
    stickyKey: Buffer.alloc(32),
  });
  const hosts = snapshot.routes.flatMap(({ domains }) =>
    domains.map(domain => parseHost(domain.replace('*', 'any')) ?? missing(domain)),
  );
  const begun = performance.now();
  let found = 0;
  for (let at = 0; at < lookUps; at += 1)
    if (table.find(hosts[(at * 7919) % hosts.length] ?? missing('a host'))) found += 1;
  const took = performance.now() - begun;
  if (found !== lookUps) throw new Error(`${lookUps - found} hosts were not found.`);
  return (took * 1000) / lookUps;
}

function missing(what: string): never {
  throw new Error(`${what} is missing.`);
}

/** Megabytes of a control that knows so many apps and domains. They have no release, so nothing runs. */
export async function controlOf(wherry: Wherry, size: Size): Promise<number> {
  await wherry.kill();
  const paths = createPaths({ data: wherry.data });
  const store = openStore(paths.database, createSeal(loadKey(paths.secretKey)));
  store.transaction(() => {
    for (let app = 0; app < size.apps; app += 1) {
      const made = store.apps.create(parseAppName(`app-${app}`), clock.now());
      for (const domain of domainsOf(app, size.domains / size.apps))
        store.domains.add(made, parseDomain(domain));
    }
  });
  store.close();
  await wherry.start();
  await sleep(15_000);
  return pss(wherry.daemonPid());
}
