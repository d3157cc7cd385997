import { parseAddressList } from './address-list.ts';
import { WherryError } from './errors.ts';
import { parseAppName } from './names.ts';
import type { EdgePolicy } from './route.ts';
import { trueOrFalse, wholeNumber } from './setting-values.ts';

/** What `proxy:set --global` knows of the whole edge, by the name that people type. */
export const edgeSettings = {
  'trusted-proxies': {
    usual: '',
    help: 'addresses and ranges, by commas, of proxies in front of this server, whose forwarding headers are believed',
    parse: (text: string) => parseAddressList(text, 'trusted proxies'),
  },
  'proxy-protocol': {
    usual: 'false',
    help: 'true: connections of trusted proxies begin with a PROXY header, version 1 or 2',
    parse: trueOrFalse('proxy-protocol'),
  },
  connections: {
    usual: '20000',
    help: 'connections of visitors at once',
    parse: wholeNumber('connections', { least: 10, most: 1_000_000 }),
  },
  'connections-per-address': {
    usual: '1000',
    help: 'those of one address, or of one /64 of IPv6',
    parse: wholeNumber('connections-per-address', { least: 1, most: 1_000_000 }),
  },
  'catch-all': {
    usual: '',
    help: 'the app that gets requests for hosts of nobody, which are a 404 otherwise',
    parse: parseAppName,
  },
} as const;

export type EdgeSetting = keyof typeof edgeSettings;

export const edgeSettingNames = Object.keys(edgeSettings) as readonly EdgeSetting[];

/** The property, of all apps, that a setting is stored under. */
export function edgeKey(name: EdgeSetting): string {
  return `edge-${name}`;
}

/** What is stored of a setting; undefined for nothing. */
type Get = (name: EdgeSetting) => string | undefined;

/** What the edge is told; undefined when all is as usual. */
export function readEdgePolicy(get: Get): EdgePolicy | undefined {
  const trusted = edgeSettings['trusted-proxies'].parse(get('trusted-proxies') ?? '');
  const numberOf = (name: 'connections' | 'connections-per-address'): number | undefined => {
    const stored = get(name);
    return stored === undefined ? undefined : edgeSettings[name].parse(stored);
  };
  const [connections, perAddress] = [numberOf('connections'), numberOf('connections-per-address')];
  const catchAll = get('catch-all');
  const policy: EdgePolicy = {
    ...(trusted.length > 0 && { trustedProxies: trusted }),
    ...(get('proxy-protocol') === 'true' && { proxyProtocol: true }),
    ...(connections !== undefined && { connections }),
    ...(perAddress !== undefined && { connectionsPerAddress: perAddress }),
    ...(catchAll !== undefined && { catchAll }),
  };
  return Object.keys(policy).length > 0 ? policy : undefined;
}

/** @throws invalid when the settings, each right by itself, do not fit together */
export function checkEdgeSettings(get: Get): void {
  const { proxyProtocol, trustedProxies } = readEdgePolicy(get) ?? {};
  if (proxyProtocol && !trustedProxies)
    throw new WherryError(
      'invalid',
      'proxy-protocol=true needs trusted-proxies: only they may tell who a visitor is. Set both in one go.',
    );
}
