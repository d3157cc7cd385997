/**
 * What control tells the edge, whole, each time something changes; kept on the edge's disk so that it serves without control.
 * The wire is one JSON object a line over a unix socket.
 */
export type Snapshot = {
  /** Grows by one with every snapshot of a data directory; the edge ignores an older one. */
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
};

export type Target = {
  /** The instance's id; counts are per id. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
};

/** Control to edge. */
export type ToEdge = { readonly kind: 'snapshot'; readonly snapshot: Snapshot };

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
