import type { Attachment } from '../../domain/network.ts';

/** An instance on a network that others may be on too. */
export type Peer = {
  readonly id: string;
  readonly address: string;
  readonly networks: readonly Attachment[];
};

/** What lets those that share a network reach each other, as rules of the chain `networks`; the rest of the firewall drops. */
export function networkRules(peers: readonly Peer[]): readonly string[] {
  return [...byNetwork(peers).values()]
    .filter(members => members.length > 1)
    .map(members => {
      const addresses = members.map(({ address }) => address).join(', ');
      return `ip saddr { ${addresses} } ip daddr { ${addresses} } accept`;
    });
}

/** The lines of `/etc/hosts` for the others on its networks. Each begins its round of a name's addresses elsewhere. */
export function namesFor(peer: Pick<Peer, 'id' | 'networks'>, peers: readonly Peer[]): string {
  const networks = byNetwork(peers);
  const lines = peer.networks.flatMap(({ network }) => {
    const members = networks.get(network) ?? [];
    const at = members.findIndex(({ id }) => id === peer.id) + 1;
    return [...members.slice(at), ...members.slice(0, at)].flatMap(({ address, networks }) => {
      const names = networks.find(each => each.network === network)?.names ?? [];
      return names.length === 0 ? [] : [`${address}\t${names.join(' ')}\n`];
    });
  });
  return [...new Set(lines)].join('');
}

function byNetwork(peers: readonly Peer[]): ReadonlyMap<string, readonly Peer[]> {
  const found = new Map<string, Peer[]>();
  for (const peer of peers)
    for (const { network } of peer.networks) found.set(network, [...(found.get(network) ?? []), peer]);
  return found;
}
