import type { Peer } from './peer.ts';

/**
 * The edge processes there are, by process id. One that was there and whose connection broke counts as away, not as gone, until
 * somebody who has looked at the processes says so: it may have requests in flight.
 */
export class Peers {
  readonly #connected = new Map<number, Peer>();
  readonly #away = new Set<number>();

  /** None is away, and there is one. */
  get complete(): boolean {
    return this.#connected.size > 0 && this.#away.size === 0;
  }

  get all(): readonly Peer[] {
    return [...this.#connected.values()];
  }

  get(pid: number): Peer | undefined {
    return this.#connected.get(pid);
  }

  /** It runs, and must be asked before anything is taken as over. */
  expect(pid: number): void {
    if (!this.#connected.has(pid)) this.#away.add(pid);
  }

  joined(peer: Peer, pid: number): void {
    this.#connected.set(pid, peer);
    this.#away.delete(pid);
  }

  /** Its connection is closed; it may be there again already by another. */
  left(peer: Peer): void {
    const { pid } = peer;
    if (pid === undefined || this.#connected.get(pid) !== peer) return;
    this.#connected.delete(pid);
    this.#away.add(pid);
  }

  /** The process has ended. */
  gone(pid: number): void {
    this.#connected.delete(pid);
    this.#away.delete(pid);
  }
}
