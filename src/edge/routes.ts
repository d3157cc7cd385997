import type { Route, Snapshot } from '../domain/route.ts';
import type { AppCount, Counters } from './counters.ts';
import type { Host } from './host.ts';
import type { Pool } from './pool.ts';

export type AppRoute = {
  readonly app: string;
  readonly state: Route['state'];
  readonly reason: string | undefined;
  readonly pools: readonly Pool[];
  readonly count: AppCount;
};

/** All routes of one generation; never changed, only replaced whole. */
export type RouteTable = {
  readonly generation: number;
  readonly apps: ReadonlyMap<string, AppRoute>;
  /** Exact name first, then `*.rest` for one more label. */
  find(host: Host): AppRoute | undefined;
};

export function buildTable(
  snapshot: Snapshot,
  parts: { pools: ReadonlyMap<string, Pool>; counters: Counters },
): RouteTable {
  const hosts = new Map<string, AppRoute>();
  const apps = new Map<string, AppRoute>();
  for (const route of snapshot.routes) {
    const entry: AppRoute = {
      app: route.app,
      state: route.state,
      reason: route.reason,
      pools: route.targets.map(target => parts.pools.get(target.id)).filter(pool => pool !== undefined),
      count: parts.counters.of(route.app),
    };
    apps.set(route.app, entry);
    for (const domain of route.domains) hosts.set(domain, entry);
  }
  parts.counters.keep(new Set(apps.keys()));
  return {
    generation: snapshot.generation,
    apps,
    find(host) {
      const exact = hosts.get(host);
      if (exact) return exact;
      const dot = host.indexOf('.');
      return dot > 0 ? hosts.get(`*${host.slice(dot)}`) : undefined;
    },
  };
}
