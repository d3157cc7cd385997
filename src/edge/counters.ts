import type { AppLoad } from '../domain/route.ts';
import { Answered } from './answered.ts';
import type { Failure } from './connection.ts';
import { Usage } from './usage.ts';

/** What an app's visitors got, since this edge process began; in memory only. */
export type AppCount = {
  requests: number;
  readonly usage: Usage;
  readonly answered: Answered;
  /** Open now. */
  tunnels: number;
  /** TCP connections, open now and in all. */
  streams: number;
  streamsBegun: number;
  /** Of connections to instances, and of answers that did not come in time. */
  readonly failures: Record<Failure['kind'] | 'timeout', number>;
  /** Clients that left before their answer was complete. */
  aborted: number;
  retries: number;
  /** Monotonic milliseconds of the last warning about the app. */
  reportedAt: number;
};

export type Counters = ReturnType<typeof createCounters>;

export function createCounters() {
  const apps = new Map<string, AppCount>();
  const refused = new Map<string, number>();
  return {
    apps: apps as ReadonlyMap<string, AppCount>,
    /** Requests and connections that reached no app, by the reason of the edge's answer. */
    refused: refused as ReadonlyMap<string, number>,
    refuse(reason: string): void {
      refused.set(reason, (refused.get(reason) ?? 0) + 1);
    },
    of(app: string): AppCount {
      const known = apps.get(app);
      if (known) return known;
      const fresh: AppCount = {
        requests: 0,
        usage: new Usage(performance.now()),
        answered: new Answered(),
        tunnels: 0,
        streams: 0,
        streamsBegun: 0,
        failures: { refused: 0, 'connect-timeout': 0, closed: 0, protocol: 0, timeout: 0 },
        aborted: 0,
        retries: 0,
        reportedAt: Number.NEGATIVE_INFINITY,
      };
      apps.set(app, fresh);
      return fresh;
    },
    /** What each app's requests were since the last call; apps without any are left out unless `all`. */
    loads(now: number, all: boolean): AppLoad[] {
      return [...apps].flatMap(([app, { usage }]) => usage.report(app, { now, always: all }) ?? []);
    },
    /** Forgets apps that have no route any more. */
    keep(names: ReadonlySet<string>): void {
      for (const name of apps.keys()) if (!names.has(name)) apps.delete(name);
    },
  };
}
