// What takes the requests of visitors: the edge by itself, or a fast path before it.

import type { ProxyType } from './domain/proxy-type.ts';
import type { Listening } from './domain/route.ts';
import { type EdgeLink, startEdge } from './edge-link/index.ts';
import {
  createHaproxyFront,
  edgeAddress,
  type FastPath,
  requireHaproxy,
  stopHaproxy,
} from './fast-path/index.ts';
import type { Clock } from './system/clock.ts';
import type { Log } from './system/log.ts';

type EdgeOptions = Parameters<typeof startEdge>[0];
type Edge = Awaited<ReturnType<typeof startEdge>>;

export type IngressOptions = EdgeOptions & {
  /** Of the fast path. */
  readonly frontDir: string;
  readonly front: FastPath | undefined;
};

/** The fast path that is wished for; undefined when there is to be none, or none can be. */
export function createFront(
  type: ProxyType,
  options: { dir: string; listen: Listening; link: EdgeLink; clock: Clock; log: Log },
): FastPath | undefined {
  if (type === 'edge') return undefined;
  const { link, log } = options;
  try {
    requireHaproxy();
  } catch (error) {
    log.error({ err: error }, 'the edge serves alone');
    return undefined;
  }
  const front: FastPath = createHaproxyFront({
    ...options,
    edge: () => link.address(),
    user: () => link.user(),
    onLoad: apps => link.count(front, apps),
  });
  return front;
}

/** Starts, or adopts, what takes requests. A front that does not start leaves its place to the edge. */
export async function openIngress(options: IngressOptions): Promise<{ leave(): Promise<void> }> {
  const { front, frontDir: dir, clock, log } = options;
  if (!front) {
    await stopHaproxy({ dir, clock });
    return startEdge(options);
  }
  const edge = await startEdge({ ...options, http: { host: edgeAddress, port: 0 } });
  try {
    await front.start();
  } catch (error) {
    log.error({ err: error }, 'the edge serves alone');
    return alone(edge, options);
  }
  return {
    async leave() {
      await front.leave();
      await edge.leave();
    },
  };
}

async function alone(edge: Edge, options: IngressOptions): Promise<Edge> {
  await edge.leave();
  return startEdge(options);
}
