import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { WherryError } from '../../domain/errors.ts';
import { quoteForPeople } from '../../domain/names.ts';
import { portOf } from '../../system/proxy.ts';

// URLs of buildpacks come from whoever may push. Fetched by the platform, they must not reach what only this host can:
// its own services, its network, the metadata service of its cloud.

/** A host that may be fetched from, with the addresses that were looked at: whoever connects must use these and no others. */
export type CheckedHost = {
  readonly addresses: readonly { readonly address: string; readonly family: 4 | 6 }[];
};

/** Hosts that the operator allows although they are private: `HOST` or `HOST:PORT`, also without TLS. */
export type AllowedHosts = ReadonlySet<string>;

const ipv4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];
/** All but global unicast, and the ranges of it that carry an IPv4 address inside or are for documentation. */
const ipv6: readonly (readonly [string, number])[] = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
];

const notPublic = new BlockList();
for (const [net, prefix] of ipv4) notPublic.addSubnet(net, prefix, 'ipv4');
const notPublic6 = new BlockList();
for (const [net, prefix] of ipv6) notPublic6.addSubnet(net, prefix, 'ipv6');

/** Whether everybody on the Internet could reach the address as well as this host. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !notPublic.check(address, 'ipv4');
  // IPv4 addresses written as IPv6 lie in ::/3, and are refused with it.
  return family === 6 && !notPublic6.check(address, 'ipv6');
}

export function parseAllowedHosts(text: string | undefined): AllowedHosts {
  return new Set(
    (text ?? '')
      .split(/[\s,]+/)
      .filter(host => host !== '')
      .map(host => host.toLowerCase()),
  );
}

/**
 * Looks a URL's host up and checks where it leads; again for each redirect.
 * One that a proxy fetches may be unknown here, and what it leads to there is the proxy's to judge: an address that is written
 * out, or that the name has here too, is looked at all the same.
 * @throws access-denied when it leads to a private address or is not https; unavailable when the name is unknown
 */
export async function checkHost(
  url: URL,
  allowed: AllowedHosts,
  resolve: (host: string) => Promise<{ address: string; family: number }[]> = resolveAll,
  proxied = false,
): Promise<CheckedHost> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const exempt = allowed.has(host) || allowed.has(`${host}:${portOf(url)}`);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && exempt)) {
    throw denied(url, 'is not fetched by https');
  }
  const found = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await resolve(host).catch(cause => (proxied ? [] : unknown(url, cause)));
  if (found.length === 0 && !proxied) return unknown(url);
  if (!exempt && !found.every(({ address }) => isPublic(address))) {
    throw denied(url, 'leads to an address inside this network');
  }
  return { addresses: found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })) };
}

async function resolveAll(host: string): Promise<{ address: string; family: number }[]> {
  return await lookup(host, { all: true, verbatim: true });
}

function denied(url: URL, why: string): WherryError {
  return new WherryError('access-denied', `${quoteForPeople(url.origin)} ${why}, so it is not fetched.`, {
    hint: `An operator who trusts it allows it: WHERRY_ALLOW_HOSTS=${url.hostname}`,
  });
}

function unknown(url: URL, cause?: unknown): never {
  throw new WherryError(
    'unavailable',
    `Host ${quoteForPeople(url.hostname)} cannot be found. Check the URL and this host's DNS.`,
    { cause },
  );
}
