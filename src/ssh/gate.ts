import type { SshLimits } from './limits.ts';

/** Counts connections, in all and those not logged in yet by address, so that strangers cannot crowd out users. */
export class Gate {
  readonly #limits: SshLimits;
  readonly #strangers = new Map<string, number>();
  #waiting = 0;
  #open = 0;

  constructor(limits: SshLimits) {
    this.#limits = limits;
  }

  /** A place for a new connection, or undefined when there is none. */
  enter(address: string): Place | undefined {
    const name = network(address);
    const here = this.#strangers.get(name) ?? 0;
    const { strangers, strangersPerAddress, connections } = this.#limits;
    if (this.#open >= connections || this.#waiting >= strangers || here >= strangersPerAddress)
      return undefined;
    this.#strangers.set(name, here + 1);
    this.#waiting += 1;
    this.#open += 1;
    let stranger = true;
    let inside = true;
    const known = () => {
      if (!stranger) return;
      stranger = false;
      this.#waiting -= 1;
      const left = (this.#strangers.get(name) ?? 1) - 1;
      if (left > 0) this.#strangers.set(name, left);
      else this.#strangers.delete(name);
    };
    const leave = () => {
      if (!inside) return;
      inside = false;
      known();
      this.#open -= 1;
    };
    return { known, leave };
  }
}

export type Place = {
  /** Logged in: no longer counted among the strangers. */
  known(): void;
  leave(): void;
};

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
