import type { Socket } from 'node:net';

/** Milliseconds in which a client must take the next piece (at most 64 KiB) of what waits for it; nginx cuts after as many. */
const patience = 60_000;
/** Milliseconds between two looks. */
const interval = 5000;

/** Finds clients that do not read their answer, or a tunnel's bytes, and so hold an instance: one look at all, no timers. */
export class SlowReaders {
  readonly #stuck = new Map<Socket, { taken: number; since: number }>();
  #lookedAt = 0;

  /** @param now monotonic milliseconds @returns those whose time is over */
  find(sockets: Iterable<Socket>, now: number): Socket[] {
    if (now - this.#lookedAt < interval) return [];
    this.#lookedAt = now;
    const over: Socket[] = [];
    for (const socket of this.#stuck.keys()) if (socket.destroyed) this.#stuck.delete(socket);
    for (const socket of sockets) {
      if (socket.writableLength === 0 || socket.destroyed) this.#stuck.delete(socket);
      else if (this.#isOver(socket, now)) over.push(socket);
    }
    return over;
  }

  #isOver(socket: Socket, now: number): boolean {
    const taken = socket.bytesWritten - socket.writableLength;
    const known = this.#stuck.get(socket);
    if (known?.taken === taken) return now - known.since > patience;
    this.#stuck.set(socket, { taken, since: now });
    return false;
  }
}
