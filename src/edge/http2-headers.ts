import type { OutgoingHttpHeaders } from 'node:http2';

/** Of HTTP/1.1 alone (RFC 9113 section 8.2.2). */
const ofConnections =
  /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade|te|http2-settings)$/;
/** Of which Node throws for a second one: the first is kept. */
const single = new Set(
  (
    'access-control-allow-credentials access-control-max-age access-control-request-method age authorization ' +
    'content-encoding content-language ' +
    'content-length content-location content-md5 content-range content-type date dnt etag expires from host ' +
    'if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards ' +
    'proxy-authorization range referer retry-after tk upgrade-insecure-requests user-agent x-content-type-options'
  ).split(' '),
);
/** Without what is of HTTP/1.1 alone. */
export function toHttp2(flat: readonly string[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = (flat[i] as string).toLowerCase();
    if (ofConnections.test(name)) continue;
    const value = flat[i + 1] as string;
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else if (!single.has(name)) headers[name] = [before, value];
  }
  return headers;
}
