import { connect, type Socket } from 'node:net';
import { type Forwarding, type RequestHead, renderRequestHead } from './request-head.ts';
import { ProtocolError } from './response-head.ts';
import { ResponseReader, type ResponseSink } from './response-reader.ts';
import type { Upstream } from './upstream.ts';

/** Why a connection to an app was lost while a request needed it. */
export type Failure = {
  readonly kind: 'refused' | 'connect-timeout' | 'closed' | 'protocol';
  readonly detail: string;
};

/** Whoever a connection serves at the moment. */
export interface ConnectionUser extends ResponseSink {
  ready(connection: Upstream): void;
  /** Everything that had come was given. */
  settled(): void;
  drain(): void;
  lost(failure: Failure): void;
}

export interface ConnectionOwner {
  /** The connection waits for nothing any more, or is gone. */
  released(connection: Connection, usable: boolean): void;
}

/** Milliseconds. */
export const connectTimeout = 2000;

/** One socket to an instance, with its reader; it outlives requests and serves one at a time. */
export class Connection implements Upstream {
  reused = false;
  readonly tells = false;
  readonly untouched = false;
  /** Monotonic milliseconds. */
  idleSince = 0;
  /** Milliseconds until it stood. */
  connectTime = 0;
  idleHint: number | undefined;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader: ResponseReader;
  #user: ConnectionUser | undefined;
  #connected = false;
  #closing: Failure | undefined;

  constructor(owner: ConnectionOwner, address: { host: string; port: number }, user: ConnectionUser) {
    this.#owner = owner;
    this.#user = user;
    this.#reader = new ResponseReader({
      head: head => this.#user?.head(head),
      data: (piece, last) => this.#user?.data(piece, last),
      end: trailers => this.#end(trailers),
    });
    const begun = performance.now();
    const socket = connect({ ...address, noDelay: true, allowHalfOpen: true, autoSelectFamily: false });
    this.#socket = socket;
    const timer = setTimeout(
      () => this.#fail({ kind: 'connect-timeout', detail: 'no connection within 2 s' }),
      connectTimeout,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      this.#connected = true;
      this.connectTime = performance.now() - begun;
      this.#user?.ready(this);
    });
    socket.on('data', chunk => this.#read(chunk as Buffer));
    socket.on('end', () => this.#finish());
    socket.on('drain', () => this.#user?.drain());
    socket.on('error', error => {
      this.#closing ??= { kind: this.#connected ? 'closed' : 'refused', detail: error.message };
    });
    socket.on('close', () => {
      clearTimeout(timer);
      this.#fail(this.#closing ?? { kind: 'closed', detail: 'the connection was closed' });
    });
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** A byte of the answer to the current request came. */
  get answered(): boolean {
    return this.#reader.started;
  }

  /** Hands an idle connection to its next user. */
  adopt(user: ConnectionUser): void {
    this.reused = true;
    this.#user = user;
  }

  /** Sends a request's head; the answer goes to the user from now on. */
  begin(head: RequestHead, forwarding: Forwarding): void {
    this.#reader.begin({ method: head.method, upgrade: head.upgrade !== undefined });
    this.#socket.write(renderRequestHead(head, forwarding), 'latin1');
  }

  /** @returns false when the user should wait for `drain` */
  write(piece: Buffer): boolean {
    return this.#socket.write(piece);
  }

  /** One piece of a chunked body. */
  writeChunk(piece: Buffer): boolean {
    this.#socket.cork();
    this.#socket.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(piece);
    const more = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return more;
  }

  endBody(trailers: readonly string[] | undefined): void {
    if (!trailers) return;
    let lines = '';
    for (let i = 0; i + 1 < trailers.length; i += 2) lines += `${trailers[i]}: ${trailers[i + 1]}\r\n`;
    this.#socket.write(`0\r\n${lines}\r\n`, 'latin1');
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Forgets the user and closes. */
  destroy(): void {
    this.#user = undefined;
    this.#socket.destroy();
  }

  /** After a 101: the bare socket, without any listener of ours but for errors, and the first bytes of the tunnel. */
  detach(): { socket: Socket; rest: Buffer } {
    this.#user = undefined;
    for (const event of ['data', 'end', 'drain', 'close'] as const) this.#socket.removeAllListeners(event);
    this.#socket.pause();
    this.#owner.released(this, false);
    return { socket: this.#socket, rest: this.#reader.rest };
  }

  #read(chunk: Buffer): void {
    try {
      this.#reader.read(chunk);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#fail({ kind: 'protocol', detail });
      if (!(error instanceof ProtocolError)) throw error;
      return;
    }
    this.#user?.settled();
  }

  #finish(): void {
    if (this.#reader.finish()) return;
    this.#fail({ kind: 'closed', detail: 'the connection was closed before the answer was complete' });
  }

  #end(trailers: readonly string[]): void {
    const user = this.#user;
    this.idleHint = this.#reader.idleHint;
    user?.end(trailers);
  }

  /** The user is done with the whole exchange; `clean` when its request was sent to the end. */
  release(clean: boolean): void {
    this.#user = undefined;
    const usable = clean && this.#reader.reusable && !this.#reader.busy && !this.#socket.destroyed;
    if (!usable) this.#socket.destroy();
    else if (this.#socket.isPaused()) this.#socket.resume();
    this.#owner.released(this, usable);
  }

  #fail(failure: Failure): void {
    const user = this.#user;
    this.#user = undefined;
    this.#socket.destroy();
    this.#owner.released(this, false);
    user?.lost(failure);
  }
}
