import { lookup } from 'node:dns/promises';
import type { BuildNetwork } from '../domain/build-limits.ts';
import type { ReachableHost } from '../engine/engine.ts';
import { type AllowedHosts, isPublic } from './fetch/addresses.ts';

export type ReachOptions = {
  readonly network: BuildNetwork;
  /** What the operator has set for builds: the URLs in it are those of registries, mirrors and proxies. */
  readonly env: Readonly<Record<string, string>>;
  readonly allowed: AllowedHosts;
  readonly warn: (text: string) => void;
  /** IPv4 addresses of a name. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
};

const webPorts = [80, 443];

/**
 * The hosts that a build may reach beyond the Internet (those that the operator named and that are private), or in the place of
 * it (all that he named). Looked up once, here: the build has no other way to a name then, and cannot be led astray by one that
 * changes.
 */
export async function reachOf(options: ReachOptions): Promise<readonly ReachableHost[]> {
  const { network, env, allowed, warn, resolve = resolveAll } = options;
  if (network === 'none') return [];
  const named = hostsOf(env, allowed);
  if (network === 'registries' && named.size === 0)
    warn(
      'Builds of this app reach package registries only, and this host has set none: nothing is in reach. Set them in build-config/env, or name hosts in WHERRY_ALLOW_HOSTS.',
    );
  const found = await Promise.all(
    [...named].map(async ([name, ports]) => {
      const addresses = await resolve(name).catch(() => []);
      if (addresses.length === 0)
        warn(`Host ${name} is not known to this host's DNS: the build cannot reach it.`);
      return { name, ports: [...ports], addresses };
    }),
  );
  if (network === 'registries') return found;
  return found.filter(({ addresses }) => addresses.some(address => !isPublic(address)));
}

function hostsOf(env: ReachOptions['env'], allowed: AllowedHosts): ReadonlyMap<string, ReadonlySet<number>> {
  const hosts = new Map<string, Set<number>>();
  const add = (name: string, ports: readonly number[]) =>
    hosts.set(name, new Set([...(hosts.get(name) ?? []), ...ports]));
  for (const value of Object.values(env)) {
    for (const [text] of value.matchAll(/https?:\/\/[^\s,|]+/g)) {
      if (!URL.canParse(text)) continue;
      const { hostname, port, protocol } = new URL(text);
      if (hostname !== '') add(hostname, [Number(port) || (protocol === 'https:' ? 443 : 80)]);
    }
  }
  for (const entry of allowed) {
    const [, name = '', port] = /^([^:]+)(?::(\d{1,5}))?$/.exec(entry) ?? [];
    if (name !== '') add(name, port === undefined ? webPorts : [Number(port)]);
  }
  return hosts;
}

async function resolveAll(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, family: 4 });
  return found.map(({ address }) => address);
}
