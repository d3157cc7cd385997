// What the edge uses of a request and of its answer, whichever version of HTTP they are in: Node's own objects are these as
// they are, and HTTP/2 has http2-request.ts and http2-answer.ts.
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';

export interface Inbound {
  /** Of the client's connection, which other requests may share. */
  readonly socket: Socket;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as an HTTP/1.1 message has them. */
  readonly rawHeaders: string[];
  readonly rawTrailers: string[];
  /** For the log. */
  readonly httpVersion: string;
  /** Of the message as it is read here. */
  readonly httpVersionMajor: number;
  readonly httpVersionMinor: number;
  /** All of the body has come. */
  readonly complete: boolean;
  /** Bytes of the answer so far, where the connection does not tell them. */
  readonly answered?: number;
  on(event: 'data', listener: (piece: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (piece: Buffer) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
  destroy(): unknown;
}

export interface Outbound {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
  /** Whether trailers may follow the body. */
  readonly chunkedEncoding: boolean;
  /** Whether the connection goes on after the answer. */
  shouldKeepAlive: boolean;
  /** Says before `writeHead` that nothing follows it, where the version of HTTP tells that from an empty body. */
  headOnly?(): void;
  writeContinue(): void;
  writeEarlyHints(hints: { link: string[] }): void;
  /** @param headers name, value, name, value */
  writeHead(status: number, message: string, headers: string[]): unknown;
  /** @returns false when the writer should wait for `drain` */
  write(piece: Buffer): boolean;
  write(text: string, encoding: 'latin1'): boolean;
  end(piece?: Buffer | string): unknown;
  end(text: string, encoding: 'latin1'): unknown;
  addTrailers(pairs: [string, string][]): void;
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
  once(event: 'close' | 'drain' | 'finish', listener: () => void): unknown;
}
