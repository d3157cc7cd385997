import type { Inbound } from './protocols.ts';
import type { Upstream } from './upstream.ts';

/** Bytes of a body that are held for a second try. */
const maxHeld = 65_536;
/** A client may be silent for this long in all, and for a second more with every 500 bytes it sends. */
const grace = 10_000;
const minRate = 500;
/** Milliseconds for which the rest of a body is read away after an early answer, so that the client sees it. */
const lingering = 10_000;

type BodyOptions = {
  readonly chunked: boolean;
  /** Bytes. */
  readonly limit: number;
  readonly excess: () => void;
};

/** A request's body on its way to an app: streamed, framed as it came, with back-pressure. */
export class RequestBody {
  /** Wholly written, with its last chunk and trailers. */
  sent = false;
  /** Monotonic milliseconds of the last bytes passed on. */
  progressAt = performance.now();
  readonly #req: Inbound;
  readonly #options: BodyOptions;
  #connection: Upstream | undefined;
  #listening = false;
  #ended = false;
  #received = 0;
  #held: Buffer[] | undefined;
  #heldBytes = 0;
  #waited = 0;
  #checkedAt = performance.now();

  /** @param options `excess` is called when more than `limit` bytes came */
  constructor(req: Inbound, options: BodyOptions) {
    this.#req = req;
    this.#options = options;
  }

  /** Bytes that came. */
  get received(): number {
    return this.#received;
  }

  /** All that was taken from the client so far can be sent again. */
  get replayable(): boolean {
    return !this.#listening || this.#held !== undefined;
  }

  /** Begins, or begins again with what was held. */
  sendTo(connection: Upstream, hold: boolean): void {
    this.#connection = connection;
    this.progressAt = performance.now();
    if (!this.#listening) {
      this.#listening = true;
      this.#held = hold ? [] : undefined;
      this.#req.on('data', this.#take);
      this.#req.on('end', this.#end);
      return;
    }
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const piece of held) this.#write(piece);
    if (this.#ended) this.#finish();
    else this.#req.resume();
  }

  /** There will be no other try. */
  letGo(): void {
    this.#held = undefined;
  }

  /** Waits for another connection. */
  detach(): void {
    this.#connection = undefined;
    if (this.#listening) this.#req.pause();
  }

  drain(): void {
    this.progressAt = performance.now();
    if (this.#connection && !this.sent) this.#req.resume();
  }

  /** The app needs no more of it. */
  discard(): void {
    this.#connection = undefined;
    this.#held = undefined;
    this.#req.off('data', this.#take);
    this.#req.off('end', this.#end);
    linger(this.#req);
  }

  /** Whether the client is what everyone waits for. */
  get awaitsClient(): boolean {
    return !this.#ended && this.#connection !== undefined && !this.#req.isPaused();
  }

  /** Counts the time spent on the client. @returns whether it is slower than it may be */
  tooSlow(now: number): boolean {
    const elapsed = now - this.#checkedAt;
    this.#checkedAt = now;
    if (!this.awaitsClient) return false;
    this.#waited += elapsed;
    return this.#waited > grace + (this.#received / minRate) * 1000;
  }

  readonly #take = (piece: Buffer): void => {
    this.#received += piece.length;
    if (this.#received > this.#options.limit) {
      this.#options.excess();
      return;
    }
    if (this.#held) this.#hold(this.#held, piece);
    this.#write(piece);
  };

  readonly #end = (): void => {
    this.#ended = true;
    if (this.#connection) this.#finish();
  };

  #hold(held: Buffer[], piece: Buffer): void {
    this.#heldBytes += piece.length;
    if (this.#heldBytes > maxHeld) this.#held = undefined;
    else held.push(piece);
  }

  #write(piece: Buffer): void {
    const connection = this.#connection;
    if (!connection) return;
    this.progressAt = performance.now();
    const more = this.#options.chunked ? connection.writeChunk(piece) : connection.write(piece);
    if (!more) this.#req.pause();
  }

  #finish(): void {
    this.sent = true;
    this.progressAt = performance.now();
    this.#connection?.endBody(this.#options.chunked ? harmless(this.#req.rawTrailers) : undefined);
  }
}

/** Reads away what is left of a request's body, for a while. */
export function linger(req: Inbound): void {
  if (req.complete) return;
  req.resume();
  const timer = setTimeout(() => {
    if (!req.complete) req.destroy();
  }, lingering);
  timer.unref();
  req.once('close', () => clearTimeout(timer));
}

const framing =
  /^(?:content-length|transfer-encoding|host|connection|trailer|te|x-forwarded-.*|authorization)$/i;

/** Trailers without those that could change framing or routing. */
function harmless(raw: readonly string[]): readonly string[] {
  return raw.filter((_, at) => !framing.test(raw[at - (at % 2)] ?? ''));
}
