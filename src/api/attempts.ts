import { WherryError } from '../domain/errors.ts';
import { network } from '../domain/network-name.ts';

/** Wrong tokens that one address may send at once, and milliseconds until it may send one more. */
const most = 10;
const pause = 6_000;
/** Addresses that are remembered; those that may send again soonest are forgotten first. */
const mostAddresses = 10_000;

/** Counts wrong tokens by address, so that nobody can try many. */
export class Attempts {
  readonly #now: () => number;
  /** When the address has all of its attempts back, in the order of the last wrong one. */
  readonly #full = new Map<string, number>();

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws too-many */
  check(address: string): void {
    if (this.#wait(address) <= 0) return;
    throw new WherryError('too-many', 'Too many wrong tokens came from your address. Try again later.');
  }

  /** Seconds until the address may try again. */
  retryAfter(address: string): number {
    return Math.max(0, Math.ceil(this.#wait(address) / 1000));
  }

  wrong(address: string): void {
    const name = network(address);
    const full = Math.max(this.#full.get(name) ?? 0, this.#now()) + pause;
    this.#full.delete(name);
    this.#full.set(name, full);
    const [first] = this.#full.keys();
    if (this.#full.size > mostAddresses && first !== undefined) this.#full.delete(first);
  }

  /** Milliseconds. */
  #wait(address: string): number {
    const full = this.#full.get(network(address)) ?? 0;
    return full - this.#now() - (most - 1) * pause;
  }
}
