import { type AttemptLimits, Attempts } from '../domain/attempts.ts';
import { network } from '../domain/network-name.ts';

export type PatienceLimits = {
  /** Connections that ended without a login, from one address and from all. */
  readonly failures: AttemptLimits;
  readonly failuresInAll: AttemptLimits;
  /** Milliseconds that an address with a login is trusted. */
  readonly trust: number;
};

const mostTrusted = 1000;
const anywhere = 'anywhere';

/**
 * A connection that does not log in costs a key exchange: who makes many of them is turned away before it. An address from which
 * somebody has logged in is not, for it may be that of an office or a proxy, and what others do must not lock its people out.
 */
export class Patience {
  readonly #trust: number;
  readonly #now: () => number;
  readonly #ofAddress: Attempts;
  readonly #ofAll: Attempts;
  /** Until when, in the order of logins. */
  readonly #trusted = new Map<string, number>();

  /** @param now monotonic milliseconds */
  constructor({ failures, failuresInAll, trust }: PatienceLimits, now: () => number) {
    this.#trust = trust;
    this.#now = now;
    this.#ofAddress = new Attempts(failures, now);
    this.#ofAll = new Attempts(failuresInAll, now);
  }

  isOver(address: string): boolean {
    if ((this.#trusted.get(network(address)) ?? 0) > this.#now()) return false;
    return this.#ofAddress.wait(address) > 0 || this.#ofAll.wait(anywhere) > 0;
  }

  failed(address: string): void {
    this.#ofAddress.wrong(address);
    this.#ofAll.wrong(anywhere);
  }

  loggedIn(address: string): void {
    const name = network(address);
    this.#trusted.delete(name);
    this.#trusted.set(name, this.#now() + this.#trust);
    const [first] = this.#trusted.keys();
    if (this.#trusted.size > mostTrusted && first !== undefined) this.#trusted.delete(first);
  }
}
