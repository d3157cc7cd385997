import type { Socket } from 'node:net';
import type { Origin } from './proxy-protocol.ts';
import type { RequestHead } from './request-head.ts';
import { type AddressSet, peerAddress, visitorOf } from './trusted.ts';

export type VisitorsOptions = {
  /** Proxies whose word on the visitor is taken; undefined: nobody's. */
  readonly trusted: AddressSet | undefined;
  /** Connections of trusted proxies begin with a PROXY header. */
  readonly proxyProtocol: boolean;
};

/** Who is at the other end of a request, by whoever may be believed. */
export type Visitor = {
  /** At the other end of the connection: the visitor, or the last proxy. */
  readonly peer: string;
  /** The visitor's own. */
  readonly client: string;
  readonly scheme: 'http' | 'https';
  /** The port that was connected to. */
  readonly port: number;
};

export type Listener = { readonly scheme: 'http' | 'https'; readonly port: number };

/** Knows peers from visitors. Without trusted proxies the two are the same, and nothing is looked up. */
export class Visitors {
  #trusted: AddressSet | undefined;
  #proxyProtocol = false;
  /** Whether any connection ever began with a header. */
  #learned = false;
  readonly #origins = new WeakMap<Socket, Origin>();
  /** Of connections whose TLS may still be taken off, by their two ends. */
  readonly #byEnds = new Map<string, Origin>();

  /** For connections and requests from now on; what a connection began with stays known. */
  trust({ trusted, proxyProtocol }: VisitorsOptions): void {
    this.#trusted = trusted;
    this.#proxyProtocol = proxyProtocol && trusted !== undefined;
  }

  /** Whether a new connection begins with a PROXY header. */
  tellsOrigin(socket: Socket): boolean {
    return this.#proxyProtocol && this.isProxy(socket);
  }

  /** Whether this very peer is a trusted proxy. */
  isProxy(socket: Socket): boolean {
    return this.#trusted?.has(peerAddress(socket)) ?? false;
  }

  learn(socket: Socket, origin: Origin): void {
    this.#learned = true;
    this.#origins.set(socket, origin);
    const ends = endsOf(socket);
    this.#byEnds.set(ends, origin);
    socket.once('close', () => this.#byEnds.delete(ends));
  }

  /** TLS was taken off: what was learned of the connection under it holds for this one. */
  secured(socket: Socket): void {
    const origin = this.#learned ? this.#byEnds.get(endsOf(socket)) : undefined;
    if (origin) this.#origins.set(socket, origin);
  }

  /** Who connected, by what a balancer said where one may. */
  addressOf(socket: Socket): string {
    return this.#origins.get(socket)?.address ?? peerAddress(socket);
  }

  /** Whether forwarding headers on this connection are believed. */
  trusts(socket: Socket): boolean {
    return this.#trusted?.has(this.addressOf(socket)) ?? false;
  }

  of(socket: Socket, head: RequestHead, listener: Listener): Visitor {
    const origin = this.#learned ? this.#origins.get(socket) : undefined;
    const peer = origin?.address ?? peerAddress(socket);
    const scheme = origin?.tls ? 'https' : listener.scheme;
    const port = origin?.port ?? listener.port;
    const { told } = head;
    if (!told || !this.#trusted) return { peer, client: peer, scheme, port };
    const chain = told.get('x-forwarded-for');
    return {
      peer,
      client: chain === undefined ? peer : visitorOf(chain, peer, this.#trusted),
      scheme: told.has('x-forwarded-proto') ? toldScheme(told.get('x-forwarded-proto')) : scheme,
      port,
    };
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function toldScheme(text: string | undefined): 'http' | 'https' {
  return /^(?:https|wss)[ \t]*(?:,|$)/i.test(text ?? '') ? 'https' : 'http';
}
