import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** What takes the requests of visitors: the edge by itself, or HAProxy before it. */
export const proxyTypes = ['edge', 'haproxy'] as const;

export type ProxyType = (typeof proxyTypes)[number];

/** The property, of all apps, that it is stored under. */
export const proxyTypeKey = 'edge-type';

export const proxyTypeSetting = {
  usual: 'edge',
  help: 'edge, or haproxy: HAProxy takes plain requests of awake apps straight to them; counts from the next start of the daemon',
  parse(text: string): ProxyType {
    const found = proxyTypes.find(type => type === text);
    if (found) return found;
    throw new WherryError('invalid', `type=${quoteForPeople(text)} is not known. Known are: edge, haproxy.`);
  },
} as const;
