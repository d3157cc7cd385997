import type { EdgePolicy } from '../domain/route.ts';
import { type ConnectionLimits, defaultLimits } from './connections.ts';
import { addressSet } from './trusted.ts';
import type { VisitorsOptions } from './visitors.ts';

/** How connections are taken, whatever they ask for. */
export type FrontDoor = { readonly limits: ConnectionLimits; readonly proxies: VisitorsOptions };

export function frontDoor(policy: EdgePolicy = {}): FrontDoor {
  return {
    limits: {
      total: policy.connections ?? defaultLimits.total,
      perAddress: policy.connectionsPerAddress ?? defaultLimits.perAddress,
    },
    proxies: {
      trusted: addressSet(policy.trustedProxies ?? []),
      proxyProtocol: policy.proxyProtocol ?? false,
    },
  };
}
