// Who may speak for a visitor: proxies in front of this server, by address.
import { BlockList, isIP, type Socket } from 'node:net';
import { WherryError } from '../domain/errors.ts';

export type TrustedProxies = { has(address: string): boolean };

/** Parses addresses and CIDR ranges by commas or spaces; undefined for an empty list. @throws invalid */
export function parseTrusted(text: string): TrustedProxies | undefined {
  const words = text.split(/[\s,]+/).filter(word => word !== '');
  if (words.length === 0) return undefined;
  const list = new BlockList();
  for (const word of words) add(list, word);
  return { has: address => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}

function add(list: BlockList, word: string): void {
  const [address = '', bits, more] = word.split('/');
  const kind = isIP(address);
  const widest = kind === 6 ? 128 : 32;
  const length = bits === undefined ? widest : Number(bits);
  if (kind === 0 || more !== undefined || !/^[0-9]{1,3}$/.test(bits ?? '0') || length > widest)
    throw new WherryError(
      'invalid',
      `"${word.slice(0, 60)}" is no address or range of trusted proxies. Write them as 10.0.0.0/8,192.0.2.7.`,
    );
  list.addSubnet(address, length, kind === 6 ? 'ipv6' : 'ipv4');
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
export function visitorOf(forwardedFor: string, peer: string, trusted: TrustedProxies): string {
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
