import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** A network that instances of several apps share, and the names that the others know one of them by. */
export type Attachment = { readonly network: string; readonly names: readonly string[] };

/** Which networks an app's instances are on: `early` before they start, `all` once they are up. */
export type AppNetworks = {
  readonly early: readonly string[];
  readonly all: readonly string[];
  /** Behind names of it, as in `blog.web.internal`. */
  readonly tld?: string | undefined;
};

/** The property of the platform that lists the networks. */
export const networksKey = 'networks';

/** Properties of an app that name networks, as dokku has them; the first takes one name. */
export const networkProperties = ['initial-network', 'attach-post-create', 'attach-post-deploy'] as const;
export type NetworkProperty = (typeof networkProperties)[number];

export const networkKey = (property: NetworkProperty | 'tld'): string => `network-${property}`;

/** What docker has of its own, and scripts name. */
const reserved = new Set(['bridge', 'host', 'none', 'default']);

/** @throws invalid */
export function parseNetworkName(text: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(text) && !reserved.has(text)) return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is not a name of a network. Use letters, digits, ".", "_" and "-"; ${[...reserved].join(', ')} are taken.`,
  );
}

/** @throws invalid */
export function parseNetworkTld(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,3}$/.test(text))
    return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no end of a name. Use letters, digits and "-", as in internal.`,
  );
}

/** @param list the networks that a property names */
export function readNetworks(
  list: (property: NetworkProperty) => readonly string[],
  tld?: string | undefined,
): AppNetworks {
  const early = [...new Set([...list('initial-network'), ...list('attach-post-create')])];
  return { early, all: [...new Set([...early, ...list('attach-post-deploy')])], tld };
}

/** Of an instance that is not up, or on its way out: it reaches others, and has no name. */
export function namelessOn(networks: readonly string[]): readonly Attachment[] {
  return networks.map(network => ({ network, names: [] }));
}

/** Of the `index`th instance of a type, by dokku's names: `blog.web`, `blog.web.1`; of web, `blog` too. */
export function namedOn(
  { all, tld }: AppNetworks,
  { app, type, index }: { readonly app: string; readonly type: string; readonly index: number },
): readonly Attachment[] {
  const plain = [`${app}.${type}`, `${app}.${type}.${index}`, ...(type === 'web' ? [app] : [])];
  const names = [...plain, ...(tld === undefined ? [] : plain.map(name => `${name}.${tld}`))];
  return all.map(network => ({ network, names: names.filter(name => name !== 'localhost') }));
}
