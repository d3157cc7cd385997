import { ProtocolError, type ResponseHead, readResponseHead, readTrailers } from './response-head.ts';

export interface ResponseSink {
  /** Once per interim answer and once for the final one. */
  head(head: ResponseHead): void;
  /** `last`: the body is complete with this piece, and `end` follows at once. */
  data(piece: Buffer, last: boolean): void;
  /** @param trailers name, value pairs */
  end(trailers: readonly string[]): void;
}

type State =
  | 'idle'
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk'
  | 'chunk-end'
  | 'trailers'
  | 'until-close'
  | 'tunnel';

const maxHead = 65_536;
const maxChunkLine = 4096;
const noBytes = Buffer.alloc(0);

/** Cuts the bytes of one connection into answers, strictly: what is not HTTP/1.1 throws. */
export class ResponseReader {
  /** Bytes after a 101: the tunnel's first. */
  rest: Buffer = noBytes;
  /** A byte of the current answer came. */
  started = false;
  /** The last answer left the connection fit for another request. */
  reusable = false;
  idleHint: number | undefined;
  readonly #sink: ResponseSink;
  #state: State = 'idle';
  #pending: Buffer = noBytes;
  #left = 0;
  #method = 'GET';
  #upgrade = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  get busy(): boolean {
    return this.#state !== 'idle';
  }

  /** A request was sent: an answer may come. */
  begin(request: { readonly method: string; readonly upgrade: boolean }): void {
    this.#method = request.method;
    this.#upgrade = request.upgrade;
    this.#state = 'head';
    this.started = false;
    this.reusable = false;
  }

  /** @throws ProtocolError */
  read(chunk: Buffer): void {
    if (this.#state === 'idle') throw new ProtocolError('bytes that no request asked for');
    this.started = true;
    let bytes = chunk;
    if (this.#pending.length > 0) {
      bytes = Buffer.concat([this.#pending, chunk]);
      this.#pending = noBytes;
    }
    let offset = 0;
    while (offset < bytes.length) {
      const next = this.#step(bytes, offset);
      if (next < 0) {
        this.#pending = offset === 0 ? bytes : bytes.subarray(offset);
        return;
      }
      offset = next;
    }
  }

  /** The app closed its side. @returns whether the answer was complete by that */
  finish(): boolean {
    if (this.#state !== 'until-close') return false;
    this.#complete([], true);
    return true;
  }

  /** Takes what it can from `offset`; returns the next offset, or -1 when more bytes are needed first. */
  #step(bytes: Buffer, offset: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, offset);
      case 'length':
        return this.#readLength(bytes, offset);
      case 'chunk-size':
        return this.#readChunkSize(bytes, offset);
      case 'chunk':
        return this.#readChunk(bytes, offset);
      case 'chunk-end':
        return this.#readChunkEnd(bytes, offset);
      case 'trailers':
        return this.#readTrailers(bytes, offset);
      case 'until-close':
        this.#sink.data(offset === 0 ? bytes : bytes.subarray(offset), false);
        return bytes.length;
      case 'tunnel':
      case 'idle':
        return bytes.length;
    }
  }

  #readHead(bytes: Buffer, offset: number): number {
    const end = bytes.indexOf('\r\n\r\n', offset, 'latin1');
    if (end < 0 || end - offset > maxHead) {
      if (bytes.length - offset > maxHead) throw new ProtocolError('a head larger than 64 KiB');
      return -1;
    }
    const head = readResponseHead(bytes.toString('latin1', offset, end), this.#method);
    const next = end + 4;
    if (head.status < 200 && head.status !== 101) {
      this.#sink.head(head);
      return next;
    }
    if (head.status === 101) {
      if (!this.#upgrade) throw new ProtocolError('101 without an upgrade');
      this.#state = 'tunnel';
      this.rest = bytes.subarray(next);
      this.#sink.head(head);
      return bytes.length;
    }
    this.reusable = head.keepAlive;
    this.idleHint = head.idleHint;
    this.#left = head.length;
    this.#sink.head(head);
    if (head.body === 'none' || (head.body === 'length' && head.length === 0)) {
      this.#complete([], next < bytes.length);
      return bytes.length;
    }
    this.#state = head.body === 'chunked' ? 'chunk-size' : head.body;
    return next;
  }

  #readLength(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#left);
    this.#left -= end - offset;
    const last = this.#left === 0;
    this.#sink.data(bytes.subarray(offset, end), last);
    if (!last) return end;
    this.#complete([], end < bytes.length);
    return bytes.length;
  }

  #readChunkSize(bytes: Buffer, offset: number): number {
    const end = bytes.indexOf('\r\n', offset, 'latin1');
    if (end < 0 || end - offset > maxChunkLine) {
      if (bytes.length - offset > maxChunkLine) throw new ProtocolError('a chunk line that does not end');
      return -1;
    }
    const size = /^([0-9a-f]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/i.exec(
      bytes.toString('latin1', offset, end),
    )?.[1];
    if (size === undefined) throw new ProtocolError('a chunk size that is no number');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk';
    return end + 2;
  }

  #readChunk(bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + this.#left);
    this.#left -= end - offset;
    if (this.#left === 0) this.#state = 'chunk-end';
    this.#sink.data(bytes.subarray(offset, end), false);
    return end;
  }

  #readChunkEnd(bytes: Buffer, offset: number): number {
    if (bytes.length - offset < 2) return -1;
    if (bytes[offset] !== 0x0d || bytes[offset + 1] !== 0x0a)
      throw new ProtocolError('a chunk longer than it said');
    this.#state = 'chunk-size';
    return offset + 2;
  }

  #readTrailers(bytes: Buffer, offset: number): number {
    if (bytes.length - offset < 2) return -1;
    if (bytes[offset] === 0x0d && bytes[offset + 1] === 0x0a) {
      this.#complete([], offset + 2 < bytes.length);
      return bytes.length;
    }
    const end = bytes.indexOf('\r\n\r\n', offset, 'latin1');
    if (end < 0) {
      if (bytes.length - offset > maxHead) throw new ProtocolError('trailers larger than 64 KiB');
      return -1;
    }
    this.#complete(readTrailers(bytes.toString('latin1', offset, end)), end + 4 < bytes.length);
    return bytes.length;
  }

  /** `end` may hand the connection to the next request: nothing of this answer is touched after it. */
  #complete(trailers: readonly string[], excess: boolean): void {
    this.#state = 'idle';
    if (excess) this.reusable = false;
    this.#sink.end(trailers);
  }
}
