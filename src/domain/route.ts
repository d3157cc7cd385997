/**
 * What control tells the edge each time something changes; kept on the edge's disk so that it serves without control.
 * The wire is one JSON object a line over a unix socket.
 */
export type Snapshot = {
  /** Grows by one with every change of a data directory; the edge ignores an older one. */
  readonly generation: number;
  readonly routes: readonly Route[];
};

export type Route = {
  readonly app: string;
  /** Exact host names or `*.rest`, lower case. */
  readonly domains: readonly string[];
  readonly state: 'serving' | 'stopped' | 'undeployed' | 'crashed';
  /** A sentence for the 503 page when the app does not serve; never secrets. */
  readonly reason?: string;
  readonly targets: readonly Target[];
  /** What was set for the app; none when everything is as it is by default. */
  readonly policy?: RoutePolicy;
};

export type Target = {
  /** The instance's id; counts are per id. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
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
    };

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
      readonly http: { readonly host: string; readonly port: number };
      readonly draining: readonly string[];
    }
  | { readonly kind: 'applied'; readonly generation: number; readonly draining: readonly string[] }
  | { readonly kind: 'drained'; readonly target: string };
