import { type ClientHttp2Session, connect } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { Target } from '../domain/route.ts';
import { AppStream } from './app-stream.ts';
import { type ConnectionUser, connectTimeout, type Failure } from './connection.ts';

const options = {
  settings: { enablePush: false, initialWindowSize: 262_144 },
  /** Megabytes: all streams of an instance share a connection. */
  maxSessionMemory: 64,
};
/** Until the app says how many streams it takes. */
const usualStreams = 100;
/** Milliseconds after which a request's head must be on its way: an app that breaks the protocol is sent nothing any more. */
const sendTimeout = 250;
/** Milliseconds for which a connection without a request is kept. */
const maxIdle = 60_000;
/**
 * Milliseconds between two PINGs on a connection with open requests. Node neither reads nor sends on a connection whose
 * peer broke HTTP/2, says nothing of it while requests are open, and so never hears that the app is gone. Not more
 * often: gRPC's servers close connections whose pings come less than five minutes apart.
 */
const pingInterval = 360_000;
/** Milliseconds for a PING to be answered (RFC 9113, 6.7); an app that computes may take its time. */
const pingTimeout = 60_000;

/** The HTTP/2 connections to one instance: one, and more where it takes no more streams on that. */
export class AppSessions {
  readonly #target: Target;
  readonly #sessions = new Set<AppSession>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** Calls `ready` or `lost` of the user, now or later. */
  serve(user: ConnectionUser): void {
    for (const session of this.#sessions)
      if (session.hasRoom) {
        session.serve(user);
        return;
      }
    const session = new AppSession(this.#target, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    session.serve(user);
  }

  sweep(now: number): void {
    for (const session of this.#sessions)
      if (session.idleFor(now) >= maxIdle) session.close();
      else if (session.unprovenFor(now) >= pingInterval) session.prove(now);
  }

  /** Each once it has no request left. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }
}

class AppSession {
  readonly #session: ClientHttp2Session;
  readonly #waiting = new Set<ConnectionUser>();
  readonly #begun = performance.now();
  #connectTime = 0;
  #connected = false;
  #served = 0;
  #open = 0;
  #ending = false;
  #idleSince = performance.now();
  #provenAt = performance.now();
  #ping: NodeJS.Timeout | undefined;
  /** Those whose head may not be on its way yet. */
  #fresh: { readonly stream: AppStream; readonly since: number }[] = [];
  #check: NodeJS.Timeout | undefined;

  constructor({ host, port }: Target, onEnd: () => void) {
    const socket = connectTcp({ host, port, noDelay: true, autoSelectFamily: false });
    const session = connect(`http://${host.includes(':') ? `[${host}]` : host}:${port}`, {
      ...options,
      createConnection: () => socket,
    });
    this.#session = session;
    let failure: Failure = { kind: 'refused', detail: 'the connection was closed' };
    const timer = setTimeout(() => {
      failure = { kind: 'connect-timeout', detail: 'no connection within 2 s' };
      session.destroy();
    }, connectTimeout);
    session.once('connect', () => {
      clearTimeout(timer);
      this.#connected = true;
      this.#connectTime = performance.now() - this.#begun;
      for (const user of this.#waiting) this.#start(user);
      this.#waiting.clear();
    });
    session.on('error', error => {
      if (failure.kind === 'refused') failure = { kind: 'refused', detail: error.message };
    });
    session.on('goaway', () => {
      this.#ending = true;
    });
    session.on('close', () => {
      clearTimeout(timer);
      this.#ending = true;
      clearTimeout(this.#check);
      clearTimeout(this.#ping);
      onEnd();
      for (const user of this.#waiting) user.lost(failure);
      this.#waiting.clear();
    });
  }

  get hasRoom(): boolean {
    if (this.#ending || this.#session.closed || this.#session.destroyed) return false;
    const most = (this.#connected && this.#session.remoteSettings?.maxConcurrentStreams) || usualStreams;
    return this.#open + this.#waiting.size < most;
  }

  serve(user: ConnectionUser): void {
    if (this.#connected) this.#start(user);
    else this.#waiting.add(user);
  }

  idleFor(now: number): number {
    return this.#open + this.#waiting.size > 0 ? 0 : now - this.#idleSince;
  }

  /** Since when nothing shows that its app still speaks, in milliseconds. */
  unprovenFor(now: number): number {
    return this.#connected && this.#open > 0 ? now - this.#provenAt : 0;
  }

  /** Ends it with all its requests when a PING is not answered in time. */
  prove(now: number): void {
    if (this.#ping || this.#session.destroyed) return;
    this.#provenAt = now;
    this.#ping = setTimeout(() => this.#session.destroy(), pingTimeout).unref();
    this.#session.ping(error => {
      if (error) return;
      clearTimeout(this.#ping);
      this.#ping = undefined;
    });
  }

  close(): void {
    this.#ending = true;
    this.#session.close();
  }

  #start(user: ConnectionUser): void {
    if (this.#open++ === 0) this.#provenAt = performance.now();
    const reused = this.#served++ > 0;
    const state = { session: this.#session, reused, connectTime: this.#connectTime };
    const stream = new AppStream(user, state, () => {
      this.#open--;
      this.#idleSince = performance.now();
    });
    user.ready(stream);
    this.#fresh.push({ stream, since: performance.now() });
    this.#check ??= setTimeout(() => this.#lookAtFresh(), sendTimeout);
  }

  /** Node says nothing of a session that found fault with its peer as long as streams are open on it, and sends nothing. */
  #lookAtFresh(): void {
    const now = performance.now();
    const unsent = this.#fresh.filter(({ stream }) => stream.unsent);
    const stuck = unsent.filter(({ since }) => now - since >= sendTimeout / 2);
    this.#fresh = unsent.filter(each => !stuck.includes(each));
    this.#check = this.#fresh.length > 0 ? setTimeout(() => this.#lookAtFresh(), sendTimeout) : undefined;
    if (stuck.length > 0) {
      this.#ending = true;
      this.prove(now);
    }
    for (const { stream } of stuck) stream.moveOn();
  }
}
