import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Visitors who come to the host's port by the scheme reach the port of web in its container. */
export type PortMapping = {
  readonly scheme: 'http' | 'https';
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
  if (scheme !== 'http' && scheme !== 'https')
    throw new WherryError(
      'invalid',
      `Scheme ${quoteForPeople(scheme)} is not supported. Map http or https, as http:80:5000.`,
    );
  return { scheme, host: Number(host), container: Number(container) };
}

export function formatPortMapping({ scheme, host, container }: PortMapping): string {
  return `${scheme}:${host}:${container}`;
}

/** Where the edge listens; without HTTPS undefined. */
export type ListeningPorts = { readonly http: number; readonly https: number | undefined };

/**
 * Refuses a map that the edge cannot serve. 80 and 443 stand for its two listeners, wherever those are. @throws invalid, conflict
 */
export function checkPortMap(mappings: readonly PortMapping[], listening: ListeningPorts): void {
  for (const mapping of mappings) {
    const { scheme, host } = mapping;
    const own = listening[scheme];
    if (host !== (scheme === 'http' ? 80 : 443) && host !== own)
      throw new WherryError(
        'invalid',
        `${formatPortMapping(mapping)}: the edge speaks ${scheme} ${own === undefined ? 'nowhere' : `at port ${own} alone`}, for all apps. Give ${scheme}:${own ?? 443}:${mapping.container}.`,
      );
    const twin = mappings.find(other => other !== mapping && other.scheme === scheme);
    if (twin)
      throw new WherryError(
        'conflict',
        `${formatPortMapping(mapping)} and ${formatPortMapping(twin)} are both for ${scheme}. Keep one.`,
      );
  }
  const [first, other] = mappings;
  if (first && other && first.container !== other.container)
    throw new WherryError(
      'conflict',
      `${formatPortMapping(first)} and ${formatPortMapping(other)} lead to two ports of web, which has one: PORT. Give both the same.`,
    );
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
