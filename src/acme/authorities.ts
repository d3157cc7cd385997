import type { Account } from '../store/acme.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../system/clock.ts';
import { CaFault } from './ca-fault.ts';
import { newAccountKey } from './jose.ts';
import { Session } from './session.ts';
import type { Transport } from './transport.ts';

const hour = 3_600_000;
/** Milliseconds for which an authority that fails or takes no more is left alone: unless it says so, and at most. */
const usualRest = 5 * 60_000;
const longestRest = 3 * hour;
/** Orders in three hours: Let's Encrypt takes 300 of an account. */
const mostOrders = 250;

/** The accounts at certificate authorities, and how much may still be asked of each. */
export class Authorities {
  readonly #options: { readonly store: Store; readonly transport: Transport; readonly clock: Clock };
  readonly #sessions = new Map<string, Session>();
  readonly #rests = new Map<string, number>();
  readonly #orders = new Map<string, number[]>();

  constructor(options: { store: Store; transport: Transport; clock: Clock }) {
    this.#options = options;
  }

  session({ server, email }: Account): Session {
    const { store, transport, clock } = this.#options;
    const name = `${server} ${email}`;
    const session =
      this.#sessions.get(name) ??
      new Session({
        ...{ server, transport, clock },
        email: email === '' ? undefined : email,
        key: store.acme.accountKey({ server, email }, newAccountKey),
      });
    this.#sessions.set(name, session);
    return session;
  }

  /** Before an order. @throws CaFault when the account has ordered as much as it may */
  count({ server, email }: Account): void {
    const now = this.#now();
    const account = `${server} ${email}`;
    const recent = (this.#orders.get(account) ?? []).filter(at => at > now - 3 * hour);
    const [oldest = now] = recent;
    if (recent.length >= mostOrders)
      throw new CaFault(`${new URL(server).host} was asked for ${mostOrders} certificates in three hours`, {
        retryAt: new Date(oldest + 3 * hour),
      });
    this.#orders.set(account, [...recent, now]);
  }

  /** Nothing is asked of it on our own before then. */
  rest(server: string, until: Date | undefined): void {
    const now = this.#now();
    this.#rests.set(server, Math.min(Math.max(until?.getTime() ?? 0, now + usualRest), now + longestRest));
  }

  rests(server: string): boolean {
    return (this.#rests.get(server) ?? 0) > this.#now();
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }
}
