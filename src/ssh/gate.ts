import { network } from '../domain/network-name.ts';
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
