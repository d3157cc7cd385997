import type { Forwarding, RequestHead } from './request-head.ts';

/** What carries one request to an instance and its answer back. */
export interface Upstream {
  /** It, or what it runs over, has served before. */
  readonly reused: boolean;
  /** Something of the answer came. */
  readonly answered: boolean;
  /** Tells, when it is lost, whether the app has seen anything of the request. */
  readonly tells: boolean;
  /** It has not: another try is safe, whatever was asked. */
  readonly untouched: boolean;
  /** Milliseconds until the connection stood. */
  readonly connectTime: number;
  /** Sends the head; the answer goes to the user from now on. */
  begin(head: RequestHead, forwarding: Forwarding): void;
  /** A piece of a body whose length is known. @returns false when the user should wait for `drain` */
  write(piece: Buffer): boolean;
  /** One of a body whose length is not. */
  writeChunk(piece: Buffer): boolean;
  /** The body is whole. @param trailers name, value pairs; undefined where its length was known */
  endBody(trailers: readonly string[] | undefined): void;
  pause(): void;
  resume(): void;
  /** Forgets the user, and ends the request in a way that nobody takes for its end. */
  destroy(): void;
  /** The answer is whole. @param clean the request, too */
  release(clean: boolean): void;
}
