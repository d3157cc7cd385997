import type { EdgeLog } from './log.ts';
import type { Outbound } from './protocols.ts';
import type { RequestHead } from './request-head.ts';
import type { AppRoute } from './routes.ts';
import type { Trace } from './trace.ts';
import type { Visitor } from './visitors.ts';

/** A request that has found its app. */
export type Plan = {
  readonly head: RequestHead;
  readonly route: AppRoute;
  readonly requestId: string;
  readonly visitor: Visitor;
  /** Unix milliseconds. */
  readonly startedAt: number;
  /** The client waits for a 100 before it sends its body. */
  readonly expects: boolean;
  readonly res: Outbound;
  readonly trace: Trace;
};

/** Counts what became of a request, and writes its line. @param status 499 when the client left or was cut off */
export function record(plan: Plan, status: number, log: EdgeLog): void {
  const { head, route, startedAt, requestId, visitor } = plan;
  plan.trace.status = status;
  route.count.answered.add(head.method, status);
  if (!log.debugging) return;
  const ms = Date.now() - startedAt;
  const { host, method, target: url } = head;
  log.debug({ app: route.app, host, method, url, status, peer: visitor.client, requestId, ms }, 'request');
}
