import { STATUS_CODES } from 'node:http';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { ConnectionUser, Failure } from './connection.ts';
import { toHttp2 } from './http2-headers.ts';
import { type Forwarding, hasBody, type RequestHead, renderRequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import type { Upstream } from './upstream.ts';

const { NGHTTP2_STREAM_STATE_IDLE, NGHTTP2_REFUSED_STREAM } = constants;

type Session = {
  readonly session: ClientHttp2Session;
  readonly reused: boolean;
  readonly connectTime: number;
};

/** A request to an instance as a stream of an HTTP/2 connection. */
export class AppStream implements Upstream {
  readonly reused: boolean;
  readonly connectTime: number;
  answered = false;
  readonly tells = true;
  untouched = false;
  readonly #session: ClientHttp2Session;
  readonly #onClose: () => void;
  readonly #abort = new AbortController();
  #user: ConnectionUser | undefined;
  #stream: ClientHttp2Stream | undefined;
  #ended = false;
  #left = false;
  #trailers: readonly string[] = [];
  #requestTrailers: OutgoingHttpHeaders = {};

  /** @param onClose called once, whatever became of it */
  constructor(user: ConnectionUser, { session, reused, connectTime }: Session, onClose: () => void) {
    this.#user = user;
    this.#session = session;
    this.reused = reused;
    this.connectTime = connectTime;
    this.#onClose = onClose;
  }

  begin(head: RequestHead, forwarding: Forwarding): void {
    const bodied = hasBody(head);
    try {
      const stream = this.#session.request(requestHeaders(head, forwarding), {
        endStream: !bodied,
        waitForTrailers: bodied,
        signal: this.#abort.signal,
      });
      this.#stream = stream;
      this.#listen(stream);
    } catch (error) {
      // The connection ends, or Node will not send what the client said.
      this.untouched = true;
      setImmediate(() => this.#closed({ kind: 'protocol', detail: String(error) }));
    }
  }

  /** Its head is still here: the connection takes no more, though it does not say so. */
  get unsent(): boolean {
    const stream = this.#stream;
    return stream !== undefined && !stream.destroyed && stream.state.state === NGHTTP2_STREAM_STATE_IDLE;
  }

  /** Lets it be tried on another connection. */
  moveOn(): void {
    this.untouched = true;
    this.#closed({ kind: 'closed', detail: 'the connection takes no more requests' });
    this.#abort.abort();
  }

  write(piece: Buffer): boolean {
    return this.#stream?.writable === true ? this.#stream.write(piece) : true;
  }

  writeChunk(piece: Buffer): boolean {
    return this.write(piece);
  }

  endBody(trailers: readonly string[] | undefined): void {
    this.#requestTrailers = toHttp2(trailers ?? []);
    this.#stream?.end();
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  destroy(): void {
    this.#user = undefined;
    // Not close: it would end the body first, and the app would take what there is of it for all.
    if (this.#stream) this.#abort.abort();
    else this.#leave();
  }

  release(clean: boolean): void {
    this.#user = undefined;
    if (!clean) this.#abort.abort();
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('wantTrailers', () => stream.sendTrailers(this.#requestTrailers));
    stream.on('headers', (headers: IncomingHttpHeaders, flags: number, raw: unknown) =>
      this.#head(headers, { flags, raw }),
    );
    stream.on('response', (headers, flags, raw?: unknown) => this.#head(headers, { flags, raw }));
    stream.on('trailers', (_headers, _flags, raw?: unknown) => {
      this.#trailers = plain(raw);
    });
    stream.on('data', piece => this.#user?.data(piece, false));
    // A stream that is reset ends for Node too.
    stream.on('end', () => {
      if (!stream.rstCode) this.#end();
    });
    stream.on('drain', () => this.#user?.drain());
    let detail = 'the stream was closed before the answer was complete';
    stream.on('error', error => {
      detail = error.message;
    });
    stream.on('close', () => {
      this.untouched ||= stream.rstCode === NGHTTP2_REFUSED_STREAM && !this.answered;
      this.#closed({ kind: 'closed', detail });
    });
  }

  #head(headers: IncomingHttpHeaders, { flags, raw }: { flags: number; raw: unknown }): void {
    const status = Number(headers[':status']);
    const last = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (status >= 200) this.answered = true;
    this.#user?.head(responseHead(status, { flat: plain(raw), length: headers['content-length'], last }));
    if (last && status >= 200) this.#end();
    else this.#user?.settled();
  }

  #end(): void {
    if (!this.answered || this.#ended) return;
    this.#ended = true;
    this.#user?.end(this.#trailers);
  }

  #closed(failure: Failure): void {
    this.#leave();
    const user = this.#user;
    this.#user = undefined;
    user?.lost(failure);
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#onClose();
  }
}

/** Those of the HTTP/1.1 request that says the same. */
function requestHeaders(head: RequestHead, forwarding: Forwarding): OutgoingHttpHeaders {
  const [, ...lines] = renderRequestHead(head, forwarding).split('\r\n');
  const flat = lines.flatMap(line => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    return colon < 1 || /^host$/i.test(name) ? [] : [name, line.slice(colon + 2)];
  });
  return {
    ':method': head.method,
    ':scheme': 'http',
    ':authority': head.authority,
    ':path': head.target,
    ...toHttp2(flat),
    ...(head.acceptsTrailers && { te: 'trailers' }),
  };
}

/** Says why the edge itself answered: an app cannot speak for it. */
const ours = 'x-wherry-reason';

function responseHead(
  status: number,
  { flat, length, last }: { flat: readonly string[]; length: string | undefined; last: boolean },
): ResponseHead {
  const headers: string[] = [];
  let trailer: string | undefined;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = flat[i] as string;
    if (name === 'trailer' && length === undefined) trailer = flat[i + 1];
    else if (name !== ours) headers.push(name, flat[i + 1] as string);
  }
  return {
    status,
    message: STATUS_CODES[status] ?? '',
    headers,
    body: last ? 'none' : length === undefined ? 'chunked' : 'length',
    length: Number(length ?? 0),
    keepAlive: true,
    idleHint: undefined,
    upgrade: undefined,
    trailer,
  };
}

/** Name, value pairs as Node gives them beside their types, without pseudo-headers. */
function plain(raw: unknown): string[] {
  const flat = raw as readonly string[];
  return flat.filter((_, at) => !(flat[at - (at % 2)] ?? ':').startsWith(':'));
}
