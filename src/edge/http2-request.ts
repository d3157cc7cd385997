import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Inbound } from './protocols.ts';
import type { Refusal } from './request-head.ts';

/** What the streams of a connection share. */
export type Http2Connection = {
  readonly socket: Socket;
  /** Whether its certificate is for a host. */
  readonly reaches: (host: string) => boolean;
};

/** The stream's headers, and the same as name, value pairs in their order. */
type Head = { readonly headers: IncomingHttpHeaders; readonly raw: readonly string[] };

/** Bytes of a head, counted as RFC 9113 section 6.5.2 says. */
export const largestHead = 32_768;
const visible = /^[\x21-\x7e\x80-\xff]+$/;
const methodName = /^[\w!#$%&'*+.^`|~-]{1,32}$/;

/** A request of an HTTP/2 stream, told as the HTTP/1.1 message that says the same (RFC 9113 section 8.3.1). */
export class Http2Request implements Inbound {
  readonly socket: Socket;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: string[];
  readonly httpVersion = '2.0';
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  rawTrailers: string[] = [];
  /** Bytes of the answer, without what heads are packed into. */
  answered = 0;
  readonly reaches: (host: string) => boolean;
  readonly #stream: ServerHttp2Stream;
  readonly #headSize: number;

  constructor({ socket, reaches }: Http2Connection, stream: ServerHttp2Stream, { headers, raw }: Head) {
    this.socket = socket;
    this.reaches = reaches;
    this.#stream = stream;
    this.headers = headers;
    this.#headSize = raw.reduce((sum, part) => sum + part.length + 16, 0);
    this.method = headers[':method'] ?? '';
    this.url = headers[':path'] ?? '';
    this.rawHeaders = plainHeaders(headers[':authority'], raw);
    if (!stream.endAfterHeaders && headers['content-length'] === undefined)
      this.rawHeaders.push('Transfer-Encoding', 'chunked');
    stream.on('trailers', (_headers, _flags, rawTrailers?: readonly string[]) => {
      this.rawTrailers = (rawTrailers ?? []).filter(
        (_, at, all) => !(all[at - (at % 2)] ?? ':').startsWith(':'),
      );
    });
  }

  /** What of it would not be one request in HTTP/1.1. */
  get fault(): Refusal | undefined {
    // Node holds clients to it only after they have agreed.
    if (this.#headSize > largestHead)
      return {
        status: 431,
        reason: 'headers-too-large',
        text: 'The headers of the request are larger than 32 KiB.',
      };
    const isPath = this.url.startsWith('/') || (this.url === '*' && this.method === 'OPTIONS');
    if (!methodName.test(this.method)) return refuse('bad-method', 'The method of the request is not valid.');
    if (!isPath || !visible.test(this.url))
      return refuse('bad-target', 'The address of the request is not valid.');
    if (!/^https?$/.test(this.headers[':scheme'] ?? ''))
      return refuse('bad-target', 'The scheme of the request is neither https nor http.');
    return undefined;
  }

  get complete(): boolean {
    return this.#stream.endAfterHeaders || this.#stream.readableEnded;
  }

  on(event: 'data' | 'end', listener: (piece: Buffer) => void): void {
    this.#stream.on(event, listener);
  }

  off(event: 'data' | 'end', listener: (piece: Buffer) => void): void {
    this.#stream.off(event, listener);
  }

  once(event: 'close', listener: () => void): void {
    this.#stream.once(event, listener);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  isPaused(): boolean {
    return this.#stream.isPaused();
  }

  destroy(): void {
    this.#stream.close();
  }
}

/**
 * With Host for the authority, and with the crumbs of Cookie as one (RFC 9113 section 8.2.3). A Host that says otherwise than the
 * authority stays beside it, and is refused as a second one.
 */
function plainHeaders(authority: string | undefined, raw: readonly string[]): string[] {
  const plain = authority === undefined ? [] : ['Host', authority];
  let cookieAt = -1;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    if (name.startsWith(':') || (name === 'host' && value.toLowerCase() === authority?.toLowerCase()))
      continue;
    if (name === 'cookie' && cookieAt >= 0) {
      plain[cookieAt] += `; ${value}`;
      continue;
    }
    plain.push(name, value);
    if (name === 'cookie') cookieAt = plain.length - 1;
  }
  return plain;
}

function refuse(reason: string, text: string): Refusal {
  return { status: 400, reason, text };
}
