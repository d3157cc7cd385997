import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { Http2Answer } from './http2-answer.ts';
import { type Http2Connection, Http2Request, largestHead } from './http2-request.ts';

export type Http2FrontOptions = {
  readonly asked: (req: Http2Request, res: Http2Answer) => void;
  /** A connection that was closed for what it did, by its reason: for counting. */
  readonly refused: (reason: string) => void;
};

const { NGHTTP2_ENHANCE_YOUR_CALM } = constants;

const sessionOptions = {
  settings: {
    maxConcurrentStreams: 100,
    maxHeaderListSize: largestHead,
    initialWindowSize: 262_144,
  },
  /** Cookies may come in many crumbs. */
  maxHeaderListPairs: 400,
  maxSessionInvalidFrames: 100,
};
/** Bytes of all bodies of a connection that may be on their way. */
const sessionWindow = 1 << 20;
/** What a client may do in a second, beyond what any does that means well. */
const mostPerSecond = { 'too-many-resets': 100, 'too-many-pings': 100, 'too-many-settings': 20 } as const;
/** Milliseconds without a request after which a connection is closed; less before its first. */
const idleTimeout = 75_000;
const silence = 10_000;

/** Connections that speak HTTP/2: their requests are handed over one by one, and what they cost is bounded. */
export class Http2Front {
  readonly #options: Http2FrontOptions;
  readonly #sessions = new Set<Session>();
  #stopping = false;

  constructor(options: Http2FrontOptions) {
    this.#options = options;
  }

  /** Speaks HTTP/2 on a connection whose handshake, or port, says so. */
  take(socket: Socket, reaches: (host: string) => boolean): void {
    if (socket.destroyed) return;
    socket.on('error', () => {});
    const session = new Session({ socket, reaches }, this.#options);
    this.#sessions.add(session);
    socket.once('close', () => this.#sessions.delete(session));
    if (this.#stopping) session.stop();
  }

  get answers(): Http2Answer[] {
    return [...this.#sessions].flatMap(session => [...session.answers]);
  }

  /** @param now monotonic milliseconds */
  everySecond(now: number): void {
    for (const session of this.#sessions) session.everySecond(now);
  }

  /** Closes those that have no request under way. */
  closeIdle(): void {
    for (const session of this.#sessions) session.closeIdle();
  }

  /** Lets each finish what it has, and tells it which requests those are: others it may send elsewhere. */
  stop(): void {
    this.#stopping = true;
    for (const session of this.#sessions) session.stop();
  }
}

class Session {
  /** Those under way. */
  readonly answers = new Set<Http2Answer>();
  readonly #connection: Http2Connection;
  readonly #session: ServerHttp2Session;
  readonly #options: Http2FrontOptions;
  readonly #done = { 'too-many-resets': 0, 'too-many-pings': 0, 'too-many-settings': 0 };
  #used = false;
  #idleSince = performance.now();

  constructor(connection: Http2Connection, options: Http2FrontOptions) {
    this.#connection = connection;
    this.#options = options;
    const session = performServerHandshake(connection.socket, sessionOptions);
    this.#session = session;
    session.setLocalWindowSize(sessionWindow);
    session.on('stream', (stream, headers, _flags, raw?: readonly string[]) =>
      this.#begin(stream, headers, raw ?? []),
    );
    session.on('ping', () => this.#count('too-many-pings'));
    session.on('remoteSettings', () => this.#count('too-many-settings'));
    // What is wrong with one connection is its client's to know.
    session.on('error', () => {});
    session.on('frameError', () => session.destroy());
  }

  everySecond(now: number): void {
    for (const kind of kinds) this.#done[kind] = 0;
    if (this.answers.size === 0 && now - this.#idleSince > (this.#used ? idleTimeout : silence)) this.#end();
  }

  closeIdle(): void {
    if (this.answers.size === 0) this.#session.close();
  }

  stop(): void {
    this.#session.close();
  }

  /** A session that found fault with its client takes no more, and does not end by itself. */
  #end(): void {
    if (this.#session.closed) this.#session.destroy();
    else this.#session.close();
  }

  #begin(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]): void {
    this.#used = true;
    const req = new Http2Request(this.#connection, stream, { headers, raw });
    const res = new Http2Answer(req, stream);
    this.answers.add(res);
    stream.once('close', () => {
      this.answers.delete(res);
      this.#idleSince = performance.now();
      if (stream.aborted && !res.cut) this.#count('too-many-resets');
    });
    if (!stream.aborted && !stream.destroyed) this.#options.asked(req, res);
  }

  #count(kind: keyof typeof mostPerSecond): void {
    if (this.#session.destroyed) return;
    this.#done[kind]++;
    if (this.#done[kind] <= mostPerSecond[kind]) return;
    this.#options.refused(kind);
    this.#session.goaway(NGHTTP2_ENHANCE_YOUR_CALM);
    this.#session.destroy(undefined, NGHTTP2_ENHANCE_YOUR_CALM);
  }
}

const kinds = ['too-many-resets', 'too-many-pings', 'too-many-settings'] as const;
