import type { AccessLine } from '../domain/access-line.ts';
import type { Plan } from './plan.ts';
import type { Inbound } from './protocols.ts';

/** What is noted of a request on its way, for its line in the access log; in milliseconds. */
export type Trace = {
  /** Monotonic. */
  readonly begunAt: number;
  /** What the connection had sent before. */
  readonly sentBefore: number;
  status: number;
  reason: string | undefined;
  instance: string | undefined;
  queue: number;
  wake: number;
  connect: number;
  firstByte: number;
  bytesIn: number;
  /** Its line is written, or needs none. */
  told: boolean;
};

const longest = 1024;

export function beginTrace(req: Inbound): Trace {
  return {
    begunAt: performance.now(),
    sentBefore: bytesSent(req),
    status: 499,
    reason: undefined,
    instance: undefined,
    queue: 0,
    wake: 0,
    connect: 0,
    firstByte: 0,
    bytesIn: 0,
    told: false,
  };
}

/** The line of a request that is over. */
export function accessLine(req: Inbound, plan: Plan): AccessLine {
  const { head, trace } = plan;
  const referer = req.headers.referer;
  const agent = req.headers['user-agent'];
  return {
    at: new Date(plan.startedAt).toISOString(),
    client: plan.visitor.client,
    method: head.method,
    host: head.host,
    path: withoutQuery(head.target),
    protocol: `HTTP/${req.httpVersion}`,
    status: trace.status,
    ...(trace.reason === undefined ? {} : { reason: trace.reason }),
    bytesIn: trace.bytesIn,
    bytesOut: bytesSent(req) - trace.sentBefore,
    ms: {
      queue: rounded(trace.queue),
      wake: rounded(trace.wake),
      connect: rounded(trace.connect),
      firstByte: rounded(trace.firstByte),
      total: rounded(performance.now() - trace.begunAt),
    },
    ...(trace.instance === undefined ? {} : { instance: trace.instance }),
    requestId: plan.requestId,
    ...(referer === undefined ? {} : { referer: withoutQuery(referer) }),
    ...(agent === undefined ? {} : { agent: agent.slice(0, longest) }),
  };
}

function bytesSent(req: Inbound): number {
  return req.answered ?? req.socket.bytesWritten;
}

function withoutQuery(address: string): string {
  const end = address.search(/[?#]/);
  return (end < 0 ? address : address.slice(0, end)).slice(0, longest);
}

/** To a tenth. */
export function rounded(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 10) / 10);
}
