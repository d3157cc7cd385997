/** A connection, or one answer on a connection that several share. */
export type Reader = {
  readonly destroyed: boolean;
  readonly bytesWritten: number;
  /** Of those, what the client has not taken. */
  readonly writableLength: number;
  destroy(): unknown;
};

/** Milliseconds in which a client must take the next piece (at most 64 KiB) of what waits for it; nginx cuts after as many. */
const patience = 60_000;
/** Milliseconds between two looks. */
const interval = 5000;

/** Finds clients that do not read their answer, or a tunnel's bytes, and so hold an instance: one look at all, no timers. */
export class SlowReaders {
  readonly #stuck = new Map<Reader, { taken: number; since: number }>();
  #lookedAt = 0;

  /** @param now monotonic milliseconds @returns those whose time is over */
  find(readers: Iterable<Reader>, now: number): Reader[] {
    if (now - this.#lookedAt < interval) return [];
    this.#lookedAt = now;
    const over: Reader[] = [];
    for (const reader of this.#stuck.keys()) if (reader.destroyed) this.#stuck.delete(reader);
    for (const reader of readers) {
      if (reader.writableLength === 0 || reader.destroyed) this.#stuck.delete(reader);
      else if (this.#isOver(reader, now)) over.push(reader);
    }
    return over;
  }

  #isOver(reader: Reader, now: number): boolean {
    const taken = reader.bytesWritten - reader.writableLength;
    const known = this.#stuck.get(reader);
    if (known?.taken === taken) return now - known.since > patience;
    this.#stuck.set(reader, { taken, since: now });
    return false;
  }
}
