import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { WherryError } from '../../domain/errors.ts';
import { exec } from '../../system/exec.ts';
import type { Log } from '../../system/log.ts';
import { devices } from './devices.ts';
import {
  applyFirewall,
  applyNetworks,
  type BuildRules,
  bridgePrefix,
  changeBuildRules,
  passDocker,
  removeFirewall,
} from './firewall.ts';
import type { Resolver } from './name-servers.ts';
import { createNamespaces, type Mappings, type Namespace, type Whose } from './namespaces.ts';
import { networkRules, type Peer } from './peers.ts';
import { readWhole } from './record.ts';
import { chooseSubnet, gatewayOf, parseRoutes, rangeOf, type Subnet } from './subnet.ts';

export type Network = {
  /** A namespace that is ready. */
  take(whose: Whose): Promise<Namespace>;
  /** Whether it is still there (not after a reboot). */
  exists(name: string): boolean;
  /** Makes a namespace of this name again, with the same address. */
  restore(namespace: Namespace): Promise<void>;
  release(name: string): Promise<void>;
  /** Replaces who reaches whom. */
  setPeers(peers: readonly Peer[]): Promise<void>;
  /** Puts the rules of a build's namespace in force, before its first process. */
  guard(rules: BuildRules): Promise<void>;
  unguard(rules: BuildRules): Promise<void>;
  close(): Promise<void>;
  purge(): Promise<void>;
};

const smallestMtu = 576;
const usualMtu = 1500;

/** One bridge with a subnet of its own, the firewall around it, and a few namespaces made ahead. */
export async function openNetwork(options: {
  file: string;
  tag: string;
  resolver: Resolver;
  /** Names of namespaces that instances own. */
  owned: readonly Namespace[];
  /** Who may reach each other from the first moment on. */
  peers: readonly Peer[];
  /** Whose user namespaces own them. */
  mappings: Mappings;
  log: Log;
}): Promise<Network> {
  const { file, tag, resolver, mappings, log } = options;
  const bridge = `${bridgePrefix}${tag}`;
  const table = `wherry_${tag}`;
  const routes = parseRoutes(await readFile('/proc/net/route', 'utf8'));
  const mtu = await uplinkMtu(routes.find(route => route.isDefault)?.device);
  const subnet = await rememberedSubnet(file, () =>
    chooseSubnet({ routes, nameServers: resolver.servers, seed: Number.parseInt(tag, 16) }),
  );
  await makeBridge({ bridge, tag, subnet, mtu });
  const networks = networkRules(options.peers);
  await applyFirewall({ table, bridge, range: rangeOf(subnet), nameServers: resolver.servers, networks });
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await passDocker(bridge, true, log);
  const namespaces = await createNamespaces({
    bridge,
    tag,
    subnet,
    mtu,
    owned: options.owned,
    mappings,
    log,
  });

  return {
    take: namespaces.take,
    exists: namespaces.exists,
    restore: namespaces.restore,
    release: namespaces.release,
    setPeers: peers => applyNetworks(table, networkRules(peers)),
    guard: rules => changeBuildRules(table, 'add', rules),
    unguard: rules => changeBuildRules(table, 'delete', rules),
    close: namespaces.close,
    async purge() {
      await namespaces.purge();
      await passDocker(bridge, false, log);
      await removeFirewall(table);
      if (devices().has(bridge)) await exec('ip', ['link', 'delete', bridge]);
    },
  };
}

async function rememberedSubnet(file: string, choose: () => Subnet | undefined): Promise<Subnet> {
  const known = await readWhole<Subnet>(file);
  if (known) return { prefix: known.prefix };
  const chosen = choose();
  if (chosen === undefined) {
    throw new WherryError(
      'unavailable',
      'No free range 10.87.0.0/16 to 10.186.0.0/16 is left for the network of instances. Free one of these routes.',
    );
  }
  await writeFile(file, JSON.stringify(chosen));
  return chosen;
}

/** An uplink with a small MTU stalls large packets of a bridge that has a larger one. */
async function uplinkMtu(device: string | undefined): Promise<number> {
  if (device === undefined) return usualMtu;
  return Math.max(smallestMtu, Number(await readFile(`/sys/class/net/${device}/mtu`, 'utf8')));
}

async function makeBridge(options: {
  bridge: string;
  tag: string;
  subnet: Subnet;
  mtu: number;
}): Promise<void> {
  const { bridge, tag, subnet, mtu } = options;
  // A fixed MAC: a bridge otherwise takes the lowest of its ports, and instances would lose their gateway as ports come and go.
  const mac = `02:57:${(tag.match(/../g) ?? []).join(':')}`;
  const lines = [
    ...(devices().has(bridge)
      ? []
      : [`link add name ${bridge} address ${mac} type bridge forward_delay 0 stp_state 0`]),
    `addr replace ${gatewayOf(subnet)}/16 dev ${bridge}`,
    `link set ${bridge} mtu ${mtu} up`,
  ];
  await exec('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n`, timeout: 10_000 });
  // The ports are isolated: instances that may reach each other do so through the host, which answers for all addresses at once.
  await writeFile(`/proc/sys/net/ipv4/conf/${bridge}/proxy_arp_pvlan`, '1');
  await writeFile(`/proc/sys/net/ipv4/neigh/${bridge}/proxy_delay`, '0');
  const ipv6 = `/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`;
  if (existsSync(ipv6)) await writeFile(ipv6, '1');
}
