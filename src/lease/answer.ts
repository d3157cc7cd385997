import { WherryError } from '../domain/errors.ts';
import { parseLease } from '../domain/lease.ts';

export type Asked = { readonly method: string; readonly url: string };

/** Times are Unix milliseconds, 0 for none. */
export type Answer = { readonly status: number; readonly body: object; readonly until: number };

/**
 * What an app's request about its lease is answered, and until when the app is busy from then on. A lease is only ever made longer,
 * so that of several processes none takes away another's; the app ends it as a whole.
 */
export function answer({ method, url }: Asked, until: number, now: number): Answer {
  const [path = '', query = ''] = url.split('?', 2);
  const held = until > now ? until : 0;
  const asked = `${method} ${path}`;
  if (asked === 'GET /') return told(held);
  if (asked === 'DELETE /busy') return told(0);
  if (asked !== 'POST /busy') {
    const error = 'There is only POST /busy?seconds=N, DELETE /busy and GET /.';
    return { status: path === '/' || path === '/busy' ? 405 : 404, body: { error }, until: held };
  }
  try {
    return told(Math.max(held, now + parseLease(new URLSearchParams(query).get('seconds'))));
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    return { status: 400, body: { error: error.message }, until: held };
  }
}

function told(until: number): Answer {
  return { status: 200, body: { busy_until: until === 0 ? null : new Date(until).toISOString() }, until };
}
