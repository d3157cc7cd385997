import { network } from './network-name.ts';

/** How many at once, and milliseconds until there may be one more. */
export type AttemptLimits = { readonly most: number; readonly pause: number };

/** Addresses that are remembered; those that may try again soonest are forgotten first. */
const mostAddresses = 10_000;

/** Counts what failed by address, so that nobody can try much. */
export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  /** When the address has all of its attempts back, in the order of the last wrong one. */
  readonly #full = new Map<string, number>();

  /** @param now monotonic milliseconds */
  constructor(limits: AttemptLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Milliseconds until the address may try again; 0 when it may. */
  wait(address: string): number {
    const { most, pause } = this.#limits;
    const full = this.#full.get(network(address)) ?? 0;
    return Math.max(0, full - this.#now() - (most - 1) * pause);
  }

  wrong(address: string): void {
    const name = network(address);
    const full = Math.max(this.#full.get(name) ?? 0, this.#now()) + this.#limits.pause;
    this.#full.delete(name);
    this.#full.set(name, full);
    const [first] = this.#full.keys();
    if (this.#full.size > mostAddresses && first !== undefined) this.#full.delete(first);
  }
}
