import type { Redirect } from '../domain/redirect.ts';
import type { HoldPolicy, Route, RoutePort, Snapshot } from '../domain/route.ts';
import type { AppCount, Counters } from './counters.ts';
import type { Host } from './host.ts';
import type { Pool } from './pool.ts';
import type { AuthRule } from './sign-in.ts';
import { createSticky, type Sticky } from './sticky.ts';
import { type AddressSet, addressSet } from './trusted.ts';

export type AppRoute = {
  readonly app: string;
  readonly state: Route['state'];
  readonly reason: string | undefined;
  readonly pools: readonly Pool[];
  readonly count: AppCount;
  readonly hold: HoldPolicy | undefined;
  /** Bytes of a request's body. */
  readonly bodyLimit: number;
  /** Milliseconds until an answer's head. */
  readonly responseTimeout: number;
  readonly sticky: Sticky | undefined;
  readonly maintenance: boolean;
  /** The app's own page for a status, or for `maintenance`. */
  readonly ownPage: ((name: string) => string | undefined) | undefined;
  /** Its instances are spoken to in HTTP/2. */
  readonly h2c: boolean;
  readonly plainHttp: boolean;
  readonly hsts: string | undefined;
  readonly redirects: ReadonlyMap<string, Redirect> | undefined;
  /** Visitors who alone may come, and who may not. */
  readonly allow: AddressSet | undefined;
  readonly deny: AddressSet | undefined;
  /** Visitors are asked who they are. */
  readonly auth: AuthRule | undefined;
  /** Where it is served besides the two ports that are for all apps. */
  readonly ports: ReadonlyMap<number, RoutePort>;
};

/** All routes of one generation; never changed, only replaced whole. */
export type RouteTable = {
  readonly generation: number;
  readonly apps: ReadonlyMap<string, AppRoute>;
  /** Answers to HTTP-01 challenges by token. */
  readonly challenges: Readonly<Record<string, string>>;
  /** Those of all apps. */
  readonly ports: ReadonlyMap<number, RoutePort>;
  /** Whose TCP port it is. */
  streamsAt(port: number): AppRoute | undefined;
  /** Exact name first, then `*.rest` for one more label, then whoever takes all others. */
  find(host: Host): AppRoute | undefined;
};

const defaultResponseTimeout = 60_000;

export function buildTable(
  snapshot: Snapshot,
  parts: {
    pools: ReadonlyMap<string, Pool>;
    counters: Counters;
    stickyKey: Buffer;
    pageText?: (sum: string) => string | undefined;
  },
): RouteTable {
  const hosts = new Map<string, AppRoute>();
  const apps = new Map<string, AppRoute>();
  for (const route of snapshot.routes) {
    const pools = route.targets.map(target => parts.pools.get(target.id)).filter(pool => pool !== undefined);
    const h2c = route.policy?.h2c ?? false;
    for (const pool of pools) {
      pool.h2c = h2c;
      pool.setHardLimit(route.policy?.hardLimit);
    }
    const sums: Readonly<Partial<Record<string, string>>> | undefined = route.pages;
    const entry: AppRoute = {
      app: route.app,
      state: route.state,
      reason: route.reason,
      maintenance: route.maintenance === true,
      ownPage: sums && (name => parts.pageText?.(sums[name] ?? '')),
      pools,
      count: parts.counters.of(route.app),
      hold: route.hold,
      h2c,
      plainHttp: route.policy?.plainHttp ?? false,
      hsts: route.policy?.hsts,
      redirects: route.redirects && new Map(Object.entries(route.redirects)),
      allow: addressSet(route.policy?.allow ?? []),
      deny: addressSet(route.policy?.deny ?? []),
      ports: new Map(route.ports?.map(each => [each.port, each])),
      auth: route.auth && {
        users: new Map(Object.entries(route.auth.users)),
        allowed: addressSet(route.auth.allowed ?? []),
      },
      bodyLimit: route.policy?.bodyLimit ?? Number.POSITIVE_INFINITY,
      responseTimeout: route.policy?.responseTimeout ?? defaultResponseTimeout,
      sticky: route.policy?.sticky ? createSticky(route.app, { pools, key: parts.stickyKey }) : undefined,
    };
    apps.set(route.app, entry);
    for (const domain of route.domains) hosts.set(domain, entry);
  }
  const others = apps.get(snapshot.edge?.catchAll ?? '');
  const streams = new Map<number, AppRoute>();
  for (const entry of apps.values())
    for (const { scheme, port } of entry.ports.values()) if (scheme === 'tcp') streams.set(port, entry);
  parts.counters.keep(new Set(apps.keys()));
  return {
    generation: snapshot.generation,
    apps,
    challenges: snapshot.challenges ?? {},
    ports: new Map([...apps.values()].flatMap(({ ports }) => [...ports])),
    streamsAt: port => streams.get(port),
    find(host) {
      const exact = hosts.get(host);
      if (exact) return exact;
      const dot = host.indexOf('.');
      return (dot > 0 ? hosts.get(`*${host.slice(dot)}`) : undefined) ?? others;
    },
  };
}
