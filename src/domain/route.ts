import type { PageSums } from './error-page.ts';
import type { HttpAuth } from './http-auth.ts';
import type { Redirects } from './redirect.ts';

/**
 * What control tells the edge each time something changes; kept on the edge's disk so that it serves without control.
 * The wire is one JSON object a line over a unix socket.
 */
export type Snapshot = {
  /** Grows by one with every change of a data directory; the edge ignores an older one. */
  readonly generation: number;
} & Routing;

/** All that the edge is told. */
export type Routing = {
  readonly routes: readonly Route[];
  /** Certificates that visitors may be shown; a name that is in several gets the last. None: left out. */
  readonly certificates?: readonly CertificateRef[];
  /** Answers to HTTP-01 challenges by token (RFC 8555 section 8.3). */
  readonly challenges?: Readonly<Record<string, string>>;
  /** What was set for all connections; none when everything is as it is by default. */
  readonly edge?: EdgePolicy;
};

/** How connections are taken; what is left out is off, or the default named. */
export type EdgePolicy = {
  /** Addresses and CIDR ranges of proxies whose word on the visitor is taken. */
  readonly trustedProxies?: readonly string[];
  /** Their connections begin with a PROXY header. */
  readonly proxyProtocol?: true;
  /** Client connections at once. 20,000 without it. */
  readonly connections?: number;
  /** Those of one address. 1,000 without it. */
  readonly connectionsPerAddress?: number;
  /** The app that gets requests for hosts that no app has. */
  readonly catchAll?: string;
  /** The address at which ports of apps are opened, where it is not that of HTTP. */
  readonly portsAt?: string;
};

/** A certificate by the name of its file in the edge's folder `tls`, which holds its chain and its key. */
export type CertificateRef = {
  readonly id: string;
  /** Exact host names or `*.rest`, lower case. */
  readonly names: readonly string[];
  /** Shown to who asks for no name, or for one that no other is for. */
  readonly fallback?: true;
  /** Shown to who asks for the protocol acme-tls/1 alone, to prove that the host is ours (RFC 8737). */
  readonly proof?: true;
};

export type Route = {
  readonly app: string;
  /** Exact host names or `*.rest`, lower case. */
  readonly domains: readonly string[];
  /** `asleep`: no instance serves, and a request is held until one does. */
  readonly state: 'serving' | 'asleep' | 'stopped' | 'undeployed' | 'crashed';
  /** A sentence for the 503 page when the app does not serve; never secrets. */
  readonly reason?: string;
  readonly targets: readonly Target[];
  /** How requests wait for an app that may sleep; none for one that never does. */
  readonly hold?: HoldPolicy;
  /** Requests get a 503, on purpose. */
  readonly maintenance?: true;
  /** Pages of the app's own. */
  readonly pages?: PageSums;
  /** Hosts whose visitors are sent to another. */
  readonly redirects?: Redirects;
  /** Visitors are asked for a name and password. */
  readonly auth?: HttpAuth;
  /** What was set for the app; none when everything is as it is by default. */
  readonly policy?: RoutePolicy;
  /** Ports of the host at which its visitors come too, besides the two that are for all apps. */
  readonly ports?: readonly RoutePort[];
};

export type RoutePort =
  /** `h2c` is HTTP/2 without TLS, with prior knowledge. */
  | { readonly scheme: 'http' | 'https' | 'h2c'; readonly port: number }
  /** One app's alone: its connections are carried to that port of its instances. */
  | { readonly scheme: 'tcp'; readonly port: number; readonly container: number };

export type Target = {
  /** The instance's id; counts are per id. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
};

export type HoldPolicy = {
  /** Milliseconds a request waits for an instance before it gets a 503. */
  readonly timeout: number;
  /** Most requests that wait at once. */
  readonly queue: number;
  /** Browsers get a page that tries again, instead of waiting. */
  readonly waitingPage: boolean;
  /** Paths (each a prefix when it ends in `*`) and beginnings of user agents that neither wake the app nor keep it awake. */
  readonly ignorePaths: readonly string[];
  readonly ignoreAgents: readonly string[];
};

/** How an app's requests are handled; what is left out is off, or the default named. */
export type RoutePolicy = {
  /** Bytes of a request's body; more gets a 413. Without it any size passes. */
  readonly bodyLimit?: number;
  /** Milliseconds until the head of the answer; later is a 504. 60 s without it. */
  readonly responseTimeout?: number;
  /** Requests that one instance is given at once; more wait in the edge. 250 without it. */
  readonly hardLimit?: number;
  /** Requests of one visitor go to one instance while it lives. */
  readonly sticky?: true;
  /** Requests over plain HTTP are answered; without it they are sent to HTTPS where the host has a certificate. */
  readonly plainHttp?: true;
  /** Instances are spoken to in HTTP/2 without TLS, with prior knowledge (RFC 9113 section 3.3). */
  readonly h2c?: true;
  /** The value of Strict-Transport-Security over HTTPS (RFC 6797); not sent without it. */
  readonly hsts?: string;
  /** Addresses and CIDR ranges of visitors: who alone may come, who may not. Others get a 403. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
};

/** Control to edge. */
export type ToEdge =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** One app's route, on top of the snapshot of generation `after`; an edge that has another says `hello` again and gets a whole one. */
  | {
      readonly kind: 'route';
      readonly generation: number;
      readonly after: number;
      readonly route: Route;
    }
  /** To a `hello` of one that is starting: control knows of it and waits for its word too; it may take requests. */
  | { readonly kind: 'serve' }
  /** Start another edge on the same listening sockets. */
  | { readonly kind: 'spawn'; readonly argv: readonly string[] }
  /** Take no more requests, finish those there are, and end. */
  | { readonly kind: 'retire' };

/** `starting`: holds listening sockets of another edge and takes nothing yet. */
export type EdgeState = 'starting' | 'serving' | 'retiring';

/**
 * Edge to control. `applied` acknowledges a snapshot; `drained` says that a target which is in no snapshot any more
 * has no request left in flight. `draining` lists all such targets that still have some, so that a control that was
 * away knows without having heard every `drained`.
 */
export type FromEdge =
  | {
      readonly kind: 'hello';
      readonly generation: number;
      readonly pid: number;
      /** Of the program that it runs. */
      readonly version: string;
      readonly state: EdgeState;
      readonly http: Listening;
      readonly https?: Listening;
      readonly draining: readonly string[];
      /** Ports of apps that are open. None: left out. */
      readonly ports?: readonly number[];
    }
  | {
      readonly kind: 'applied';
      readonly generation: number;
      readonly draining: readonly string[];
      readonly ports?: readonly number[];
    }
  | { readonly kind: 'drained'; readonly target: string }
  /** Answers to `spawn`. */
  | { readonly kind: 'spawned'; readonly pid: number }
  | { readonly kind: 'spawn-failed'; readonly reason: string }
  /** A request waits for an app that sleeps; said again each second while one does. */
  | { readonly kind: 'wake'; readonly app: string; readonly cause: WakeCause }
  /** For a minute half of what the edge had to do waited so many milliseconds, or longer. */
  | { readonly kind: 'overloaded'; readonly ms: number }
  /** Once a second: what the apps' requests were since the last one; apps without any are left out. After a `hello` it names all. */
  | { readonly kind: 'load'; readonly apps: readonly AppLoad[] };

export type Listening = { readonly host: string; readonly port: number };

/** Which request woke an app; shown to people, so without query. */
export type WakeCause = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly agent: string;
  readonly peer: string;
};

export type AppLoad = {
  readonly app: string;
  /** Requests in flight now, websockets and those that wait included. */
  readonly inFlight: number;
  /** Of those, how many wait for an instance. */
  readonly waiting: number;
  /** Mean of `inFlight` over the time since the last report, weighted by time. */
  readonly mean: number;
  /** Requests that began since the last report. */
  readonly requests: number;
  /** Milliseconds since a request that counts as use was last in flight; 0 while one is. */
  readonly idle: number;
};
