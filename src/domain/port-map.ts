import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import type { RoutePort } from './route.ts';

/** What visitors speak, by how people write it. `grpc` and `grpcs` mean HTTP/2 to web, too. */
const transports = { http: 'http', https: 'https', grpc: 'h2c', grpcs: 'https', tcp: 'tcp' } as const;

type Scheme = keyof typeof transports;

/** Visitors who come to the host's port by the scheme reach the port of web in its container. */
export type PortMapping = {
  readonly scheme: Scheme;
  readonly host: number;
  readonly container: number;
};

/** The property, a list, that holds an app's own map. */
export const portsKey = 'ports';

/** `http:80:5000`. @throws invalid */
export function parsePortMapping(text: string): PortMapping {
  const [, scheme = '', host, container] = /^([a-z]{1,10}):(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || !isPort(host) || !isPort(container))
    throw new WherryError(
      'invalid',
      `${quoteForPeople(text)} is no port mapping. Give SCHEME:HOST-PORT:CONTAINER-PORT, as http:80:5000.`,
    );
  if (!isScheme(scheme))
    throw new WherryError(
      'invalid',
      `Scheme ${quoteForPeople(scheme)} is not supported. Map one of ${Object.keys(transports).join(', ')}, as http:80:5000.`,
    );
  return { scheme, host: Number(host), container: Number(container) };
}

export function formatPortMapping({ scheme, host, container }: PortMapping): string {
  return `${scheme}:${host}:${container}`;
}

/** Where the edge listens for all apps; without HTTPS undefined. */
export type ListeningPorts = { readonly http: number; readonly https: number | undefined };

/**
 * Refuses a map that the edge cannot serve. 80 and 443 stand for its two listeners, wherever those are. @throws invalid, conflict
 */
export function checkPortMap(mappings: readonly PortMapping[], listening: ListeningPorts): void {
  for (const mapping of mappings) {
    const { scheme } = mapping;
    const port = portOf(mapping, listening);
    if (transports[scheme] === 'https' && listening.https === undefined)
      throw new WherryError(
        'invalid',
        `${formatPortMapping(mapping)}: the edge speaks https nowhere. Start the daemon with --https, or map http.`,
      );
    const own = ownScheme(port, listening);
    if (own !== undefined && own !== transports[scheme])
      throw new WherryError(
        'conflict',
        `${formatPortMapping(mapping)}: port ${port} is for ${own}, for all apps. Choose another port.`,
      );
    const twin = mappings.find(one => one !== mapping && portOf(one, listening) === port);
    if (twin)
      throw new WherryError(
        'conflict',
        `${formatPortMapping(mapping)} and ${formatPortMapping(twin)} are both for port ${port}. Keep one.`,
      );
  }
  const told = mappings.filter(({ scheme }) => scheme !== 'tcp');
  const [first] = told;
  const astray = told.find(({ container }) => container !== first?.container);
  if (first && astray)
    throw new WherryError(
      'conflict',
      `${formatPortMapping(first)} and ${formatPortMapping(astray)} lead to two ports of web, which has one: PORT. Give both the same.`,
    );
}

/** Those of a map at which the edge listens for the apps that map them alone. */
export function appPorts(stored: readonly string[], listening: ListeningPorts): RoutePort[] {
  return stored.map(parsePortMapping).flatMap((mapping): RoutePort[] => {
    const scheme = transports[mapping.scheme];
    const port = portOf(mapping, listening);
    if (scheme === 'tcp') return [{ scheme, port, container: mapping.container }];
    return ownScheme(port, listening) === undefined ? [{ scheme, port }] : [];
  });
}

/** Whether web is spoken to in HTTP/2. */
export function isGrpc(stored: readonly string[]): boolean {
  return stored.some(mapping => parsePortMapping(mapping).scheme.startsWith('grpc'));
}

/** What an app wants to be given may be another's. @throws conflict */
export function checkUnshared(
  wanted: readonly RoutePort[],
  others: readonly { readonly app: string | undefined; readonly ports: readonly RoutePort[] }[],
): void {
  for (const { scheme, port } of wanted)
    for (const { app, ports } of others) {
      const theirs = ports.find(other => other.port === port);
      if (theirs && (theirs.scheme !== scheme || scheme === 'tcp'))
        throw new WherryError(
          'conflict',
          app === undefined
            ? `Port ${port} is for ${theirs.scheme}, by the map of another app. Choose another port.`
            : `Port ${port} is for ${theirs.scheme}, by the map of app ${app}. Choose another port, or remove it there first.`,
        );
    }
}

/** The mappings that two apps cannot both have. */
export function isExclusive(mapping: string): boolean {
  return parsePortMapping(mapping).scheme === 'tcp';
}

function isScheme(text: string): text is Scheme {
  return Object.hasOwn(transports, text);
}

function portOf({ scheme, host }: PortMapping, listening: ListeningPorts): number {
  const transport = transports[scheme];
  if (transport === 'http' && host === 80) return listening.http;
  return transport === 'https' && host === 443 ? (listening.https ?? host) : host;
}

/** What the edge speaks there for all apps. */
function ownScheme(port: number, { http, https }: ListeningPorts): 'http' | 'https' | undefined {
  if (port === http) return 'http';
  if (port === https) return 'https';
  return port === 80 ? 'http' : port === 443 ? 'https' : undefined;
}

/** The port that web is told to listen on; undefined where its image, or nobody, says. */
export function mappedPort(stored: readonly string[]): number | undefined {
  const [first] = stored;
  return first === undefined ? undefined : parsePortMapping(first).container;
}

/** `http:80:5000`, or parts of it: `http:80`, or the host's port alone. */
export function matchesMapping(mapping: PortMapping, text: string): boolean {
  const { scheme, host } = mapping;
  return [formatPortMapping(mapping), `${scheme}:${host}`, String(host)].includes(text);
}

function isPort(text: string | undefined): boolean {
  const port = Number(text);
  return port >= 1 && port <= 65_535;
}
