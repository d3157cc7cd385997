import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { toHttp2 } from './http2-headers.ts';
import type { Http2Request } from './http2-request.ts';
import type { Outbound } from './protocols.ts';

/** Beyond it Node throws; clients take all of these for the same (RFC 9110 section 15). */
const highest = 599;
/** Milliseconds. */
const endCheck = 20;
const bodiless = new Set([204, 205, 304]);

/** The answer on an HTTP/2 stream. */
export class Http2Answer implements Outbound {
  statusCode = 200;
  headersSent = false;
  chunkedEncoding = false;
  /** The edge ended the stream before its time. */
  cut = false;
  readonly #req: Http2Request;
  readonly #stream: ServerHttp2Stream;
  #ended = false;
  #bodiless = false;
  #trailers: OutgoingHttpHeaders = {};

  constructor(req: Http2Request, stream: ServerHttp2Stream) {
    this.#req = req;
    this.#stream = stream;
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers(this.#trailers));
  }

  /** One answer says nothing about the connection. */
  get shouldKeepAlive(): boolean {
    return true;
  }

  set shouldKeepAlive(_ignored: boolean) {}

  get destroyed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  get writableEnded(): boolean {
    return this.#ended;
  }

  /** Bytes that the client has not taken. */
  get writableLength(): number {
    return this.#stream.writableLength;
  }

  get bytesWritten(): number {
    return this.#req.answered;
  }

  writeContinue(): void {
    this.#inform({ ':status': 100 });
  }

  /** The answer is its head alone. */
  headOnly(): void {
    this.#bodiless = true;
  }

  writeEarlyHints({ link }: { link: string[] }): void {
    this.#inform({ ':status': 103, link });
  }

  writeHead(status: number, _message: string, flat: string[]): void {
    if (this.destroyed) return;
    this.statusCode = Math.min(status, highest);
    this.headersSent = true;
    const headers = toHttp2(flat);
    this.#bodiless ||= bodiless.has(status) || this.#req.method === 'HEAD';
    this.chunkedEncoding = !this.#bodiless && headers['content-length'] === undefined;
    this.#stream.respond(
      { ':status': this.statusCode, ...headers },
      { endStream: this.#bodiless, waitForTrailers: this.chunkedEncoding },
    );
    if (this.#bodiless) this.#over();
  }

  write(piece: Buffer | string, encoding?: 'latin1'): boolean {
    // A head is sent at once without it.
    if (piece.length === 0 || this.#bodiless || this.destroyed) return true;
    this.#req.answered += piece.length;
    return encoding === undefined ? this.#stream.write(piece) : this.#stream.write(piece, encoding);
  }

  end(piece: Buffer | string = '', encoding?: 'latin1'): void {
    if (this.#ended || this.destroyed) return;
    if (typeof piece === 'string') this.#finish(Buffer.from(piece, encoding));
    else this.#finish(piece);
  }

  addTrailers(pairs: [string, string][]): void {
    this.#trailers = toHttp2(pairs.flat());
  }

  /** In the middle of an answer, so that nobody takes it for a whole one. */
  destroy(): void {
    this.cut = true;
    // Not close: it would end the body first, and the reset would come too late to say that some is missing.
    this.#stream.destroy(new Error('cut off'));
  }

  on(event: 'close', listener: () => void): void {
    this.#stream.on(event, listener);
  }

  once(event: 'close' | 'drain' | 'finish', listener: () => void): void {
    this.#stream.once(event, listener);
  }

  #inform(headers: OutgoingHttpHeaders): void {
    if (!this.headersSent && !this.destroyed) this.#stream.additionalHeaders(headers);
  }

  #finish(piece: Buffer): void {
    this.#req.answered += piece.length;
    if (piece.length > 0) this.#stream.end(piece);
    else this.#stream.end();
    this.#over();
  }

  #over(): void {
    this.#ended = true;
    this.#refuseRest();
  }

  /** What is left of the request is not wanted any more (RFC 9113 section 8.1). */
  #refuseRest(): void {
    if (this.#req.complete || this.destroyed) return;
    // A reset overtakes trailers and the end of a body, and Node does not tell when they are sent.
    if (this.#stream.state.localClose === 1) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    else setTimeout(() => this.#refuseRest(), endCheck).unref();
  }
}
