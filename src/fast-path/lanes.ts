import type { Route, RoutePolicy, Routing, Target } from '../domain/route.ts';

/** An app that the front may serve by itself. */
export type Lane = {
  /** Exact names; wildcards stay with the edge. */
  readonly hosts: readonly string[];
  /** None while it sleeps: then the edge holds its requests. */
  readonly targets: readonly Target[];
};

/** The apps whose plain requests need nothing that only the edge knows. */
export function lanesOf(
  { routes, certificates = [] }: Routing,
  { slots }: { slots: number },
): Map<string, Lane> {
  const secured = new Set(certificates.flatMap(({ names }) => names));
  const lanes = new Map<string, Lane>();
  for (const route of routes) {
    const hosts = route.domains.filter(host => !host.startsWith('*'));
    const redirects = !route.policy?.plainHttp && hosts.some(host => isSecured(host, secured));
    if (hosts.length > 0 && !redirects && isPlain(route) && route.targets.length <= slots)
      lanes.set(route.app, { hosts, targets: route.targets });
  }
  return lanes;
}

/** Whatever is not here, now or later, is the edge's to do. */
const plainRoute: ReadonlySet<string> = new Set<keyof Route>([
  ...(['app', 'domains', 'state', 'reason', 'targets', 'hold', 'policy'] as const),
]);
const plainPolicy: ReadonlySet<string> = new Set<keyof RoutePolicy>(['plainHttp', 'hsts']);

function isPlain(route: Route): boolean {
  const { state, hold, policy = {} } = route;
  const ruled = Object.keys(route).some(name => !plainRoute.has(name));
  const bound = Object.keys(policy).some(name => !plainPolicy.has(name));
  const countsAll = !hold || (hold.ignorePaths.length === 0 && hold.ignoreAgents.length === 0);
  return (state === 'serving' || state === 'asleep') && !ruled && !bound && countsAll;
}

/** Its visitors are sent to HTTPS, which the edge does. */
function isSecured(host: string, names: ReadonlySet<string>): boolean {
  return names.has(host) || names.has(`*${host.slice(Math.max(0, host.indexOf('.')))}`);
}
