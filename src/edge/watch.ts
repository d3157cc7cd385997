import type { Socket } from 'node:net';

/** Something with a deadline. */
export interface Watched {
  /** The client's. */
  readonly socket: Socket;
  /** @param now monotonic milliseconds */
  check(now: number): void;
  /** What came from the client since its head cannot be read. */
  garbled(): void;
}

/** One timer for all requests in flight, once a second: cheaper than one or two timers each. */
export class Watch {
  readonly #items = new Set<Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(alsoEachSecond: (now: number) => void) {
    this.#timer = setInterval(() => {
      const now = performance.now();
      for (const item of this.#items) item.check(now);
      alsoEachSecond(now);
    }, 1000);
    this.#timer.unref();
  }

  /** The last to come of those under way on this client's socket. */
  servedOn(socket: Socket): Watched | undefined {
    let last: Watched | undefined;
    for (const item of this.#items) if (item.socket === socket) last = item;
    return last;
  }

  add(item: Watched): void {
    this.#items.add(item);
  }

  delete(item: Watched): void {
    this.#items.delete(item);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
