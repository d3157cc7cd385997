import type { AppLoad, EdgePolicy, Routing } from '../domain/route.ts';

/**
 * A proxy in front of the edge that takes plain requests of awake apps straight to their instances, and everything else to the
 * edge. It may fall away at any moment: the edge can do all that it does.
 */
export interface FastPath {
  /** Takes the public port over; the edge must listen already. @throws unavailable when it cannot */
  start(): Promise<void>;
  /** Serves by these routes from now on; resolves when new requests go by them. */
  publish(routing: Routing): Promise<void>;
  /** Resolves when no request of these targets, which the last `publish` left out, is in flight here, or after `timeout`. */
  drained(targets: readonly string[], timeout: number): Promise<void>;
  /** Whether no request of these targets, which the last `publish` left out, is in flight here. */
  quiet(targets: readonly string[]): boolean;
  /** What the edge must be told so that it knows visitors behind the front from it. */
  policy(own: EdgePolicy | undefined): EdgePolicy;
  /** Looks after it no more and lets it serve on. */
  leave(): Promise<void>;
}

/** Once a second: what went straight to the apps. */
export type OnLoad = (apps: readonly AppLoad[]) => void;

/** Whatever takes routes to the edges. */
type Publisher = {
  publish(routing: Routing, pem: (certificate: string) => string | undefined): Promise<void>;
  drained(targets: readonly string[], timeout: number): Promise<void>;
  quiet(targets: readonly string[]): boolean;
};

/** Both at once. The edge comes first: what the front lets go of, the edge must know already. */
export function inFrontOf(edges: Publisher, front: FastPath): Publisher {
  return {
    async publish(routing, pem) {
      await edges.publish(routing, pem);
      await front.publish(routing);
    },
    async drained(targets, timeout) {
      await Promise.all([edges.drained(targets, timeout), front.drained(targets, timeout)]);
    },
    quiet: targets => edges.quiet(targets) && front.quiet(targets),
  };
}
