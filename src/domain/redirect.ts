import { WherryError } from './errors.ts';
import type { Domain } from './names.ts';

/** Statuses that send a visitor elsewhere: for good or for now, with any method or (307, 308) with the same. */
export const redirectCodes = [301, 302, 307, 308] as const;
export type RedirectCode = (typeof redirectCodes)[number];

export type Redirect = { readonly to: string; readonly code: RedirectCode };

/** By the host, or `*.rest`, that visitors come to. */
export type Redirects = Readonly<Record<string, Redirect>>;

/** The property that holds an app's, as JSON. */
export const redirectsKey = 'redirects';

export function readRedirects(stored: string | undefined): Redirects {
  return stored === undefined ? {} : (JSON.parse(stored) as Redirects);
}

/** Where visitors of a host are sent: by its own name first, then by `*.rest`. */
export function redirectOf(redirects: ReadonlyMap<string, Redirect>, host: string): Redirect | undefined {
  return redirects.get(host) ?? redirects.get(`*${host.slice(host.indexOf('.'))}`);
}

/** @throws conflict when a visitor would come back to where they were */
export function checkRedirects(redirects: Redirects, source: Domain): void {
  const all = new Map(Object.entries(redirects));
  const passed: string[] = [source];
  for (let next = all.get(source); next; next = redirectOf(all, next.to)) {
    const again = passed.includes(next.to) || passed.length > all.size;
    passed.push(next.to);
    if (again)
      throw new WherryError(
        'conflict',
        `That would send visitors in a circle: ${passed.join(' -> ')}. Unset one of them first.`,
      );
  }
}
