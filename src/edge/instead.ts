// What a request gets in the place of its app's answer, in the order that matters: nothing after the first that applies is
// looked at, so a visitor who is sent on, or is not let in, never wakes an app or learns its state.
import { redirectOf } from '../domain/redirect.ts';
import { inMaintenance, notAllowed, notServing, redirected, secureInstead } from './page-texts.ts';
import type { Page } from './pages.ts';
import type { Plan } from './plan.ts';

export type SecureListener = {
  /** 0 when HTTPS is not spoken. */
  readonly port: number;
  readonly covers: (host: string) => boolean;
};

/** Before it is asked who the visitor is. */
export function pageBefore(plan: Plan, secure: SecureListener): Page | undefined {
  return toHttps(plan, secure) ?? elsewhere(plan) ?? down(plan) ?? shutOut(plan);
}

/** Once the visitor may come. */
export function pageUnserved({ route }: Plan): Page | undefined {
  const serves = route.state === 'asleep' || (route.state === 'serving' && route.pools.length > 0);
  return serves ? undefined : notServing(route);
}

/** Visitors of a host that has a certificate are sent to HTTPS. */
function toHttps({ head, route, visitor }: Plan, { port, covers }: SecureListener): Page | undefined {
  if (visitor.scheme === 'https' || port === 0 || route.plainHttp || !covers(head.host)) return undefined;
  return secureInstead(head.method, `https://${head.host}${port === 443 ? '' : `:${port}`}${pathOf(head)}`);
}

/** To the port that the visitor came to, as they wrote it. */
function elsewhere({ head, route, visitor }: Plan): Page | undefined {
  const found = route.redirects && redirectOf(route.redirects, head.host);
  if (!found) return undefined;
  const port = /:[0-9]+$/.exec(head.authority)?.[0] ?? '';
  return redirected(found.code, `${visitor.scheme}://${found.to}${port}${pathOf(head)}`);
}

function down({ route }: Plan): Page | undefined {
  return route.maintenance ? inMaintenance(route.app) : undefined;
}

function shutOut({ route, visitor }: Plan): Page | undefined {
  const refused = route.deny?.has(visitor.client) || (route.allow && !route.allow.has(visitor.client));
  return refused ? notAllowed(route.app) : undefined;
}

function pathOf({ target }: { target: string }): string {
  return target === '*' ? '/' : target;
}
