import type { SshLimits } from './limits.ts';

export type GateLimits = Pick<
  SshLimits,
  'strangers' | 'strangersPerAddress' | 'connections' | 'line' | 'linePerAddress'
>;

export type Place = {
  /** Logged in: no longer counted among the strangers. */
  known(): void;
  leave(): void;
};

/** `waiting` in line, then a `stranger` until logged in. */
type Visitor = {
  readonly address: string;
  readonly come: () => void;
  status: 'waiting' | 'stranger' | 'known' | 'gone';
};

/**
 * Counts connections, in all and those not logged in yet by address, so that strangers cannot crowd out users. Who is one too
 * many waits in line: a person's scripts start dozens of commands at once.
 */
export class Gate {
  readonly #limits: GateLimits;
  /** By arrival; the line is short, so it is searched. */
  readonly #visitors = new Set<Visitor>();

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Calls `come` when it is the connection's turn, now or later; undefined when the line is full too. */
  enter(from: string, come: () => void): Place | undefined {
    const visitor: Visitor = { address: network(from), come, status: 'waiting' };
    if (!this.#hasRoom(visitor.address) && this.#lineIsFull(visitor.address)) return undefined;
    this.#visitors.add(visitor);
    this.#callIn();
    return {
      known: () => {
        if (visitor.status === 'stranger') visitor.status = 'known';
        this.#callIn();
      },
      leave: () => {
        visitor.status = 'gone';
        if (this.#visitors.delete(visitor)) this.#callIn();
      },
    };
  }

  #hasRoom(address: string): boolean {
    const { strangers, strangersPerAddress, connections } = this.#limits;
    const inside = this.#visitors.size - this.#count('waiting');
    return (
      inside < connections &&
      this.#count('stranger') < strangers &&
      this.#count('stranger', address) < strangersPerAddress
    );
  }

  #lineIsFull(address: string): boolean {
    const { line, linePerAddress } = this.#limits;
    return this.#count('waiting') >= line || this.#count('waiting', address) >= linePerAddress;
  }

  /** Whoever there is room for by now; a crowd of one address keeps no other waiting. */
  #callIn(): void {
    for (const visitor of this.#visitors) {
      if (visitor.status !== 'waiting' || !this.#hasRoom(visitor.address)) continue;
      visitor.status = 'stranger';
      visitor.come();
    }
  }

  #count(status: Visitor['status'], address?: string): number {
    let count = 0;
    for (const visitor of this.#visitors)
      if (visitor.status === status && (address === undefined || visitor.address === address)) count += 1;
    return count;
  }
}

/** One name for what one party can have many of: an IPv4 address, or the /64 of an IPv6 address. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1]) return mapped[1];
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(gap).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map(group => Number.parseInt(group || '0', 16).toString(16))
    .join(':')}::/64`;
}
