// Who may speak for a visitor: proxies in front of this server, by address.
import { BlockList, isIP, type Socket } from 'node:net';

/** Addresses and ranges, ready to be asked. */
export type AddressSet = { has(address: string): boolean };

/** @param ranges addresses and CIDR ranges that parse @returns undefined for none */
export function addressSet(ranges: readonly string[]): AddressSet | undefined {
  if (ranges.length === 0) return undefined;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, Number(bits ?? (kind === 'ipv6' ? 128 : 32)), kind);
  }
  return { has: address => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

/** The address at the other end, IPv4 in its own form also on a dual-stack listener. */
export function peerAddress(socket: Socket): string {
  return plainAddress(socket.remoteAddress ?? 'unknown');
}

export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * The visitor's address: the last in X-Forwarded-For that is no trusted proxy. What stands before it anybody can have written.
 * @param peer a trusted proxy's address
 */
export function visitorOf(forwardedFor: string, peer: string, trusted: AddressSet): string {
  let visitor = peer;
  for (const word of forwardedFor.split(',').reverse()) {
    const address = withoutPort(word.trim());
    if (address === undefined) return visitor;
    visitor = address;
    if (!trusted.has(address)) return visitor;
  }
  return visitor;
}

/** From `1.2.3.4`, `1.2.3.4:567`, `::1` and `[::1]:567`. */
function withoutPort(word: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::[0-9]+)?$/.exec(word)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(word)?.[1] ?? word;
  return isIP(bare) === 0 ? undefined : plainAddress(bare.toLowerCase());
}
