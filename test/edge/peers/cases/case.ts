import type { Script, Seen } from '../attempt.ts';

/** What is said to each server, and what comes of it, as `outcome` and `show` put it. */
export type Case = Script & {
  readonly name: string;
  readonly answers: string | Differing;
  /** What is compared besides the outcome. */
  readonly show?: (seen: Seen) => string;
};

export type Differing = {
  readonly edge: string;
  readonly nginx: string;
  readonly haproxy: string;
  readonly why: string;
};

export const host = 'Host: demo.test\r\n';
export const close = 'Connection: close\r\n\r\n';

export function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\n${host}${headers}${close}`;
}

export function post(headers: string, content: string, version = '1.1'): string {
  return `POST / HTTP/${version}\r\n${host}${headers}\r\n${content}`;
}

/** Shows the headers of this lower-case name that the app got. */
export function header(name: string): (seen: Seen) => string {
  return seen =>
    seen.app
      .flatMap(({ headers }) => headers.map(each => each.replace(/^[^:]+/, word => word.toLowerCase())))
      .filter(each => each.startsWith(`${name}:`))
      .join(', ');
}

/** Shows what followed the head of the first answer. */
export function body(seen: Seen): string {
  return JSON.stringify(seen.text.slice(seen.text.indexOf('\r\n\r\n') + 4));
}
