import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';

export type BodyLimits = {
  readonly bytes: number;
  /** Milliseconds for all of it to arrive. */
  readonly patience: number;
};

/** Milliseconds for a client to end, or close, after it was answered. */
const partingTime = 5_000;

/**
 * The whole body. What is left unread after an error is for `leaveToClient`.
 * @throws too-large, too-slow, interrupted when the client leaves in the middle
 */
export function readBody(request: IncomingMessage, { bytes, patience }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = () => {
      clearTimeout(timer);
      request.pause();
      request.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const refuse = (error: WherryError) => {
      leave();
      reject(error);
    };
    const tooLarge = () =>
      refuse(new WherryError('too-large', `The request is larger than ${bytes} bytes. Send less at once.`));
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytes) return tooLarge();
      chunks.push(chunk);
    };
    const onEnd = () => {
      leave();
      resolve(Buffer.concat(chunks));
    };
    const onClose = () =>
      refuse(new WherryError('interrupted', 'The client left before its request was complete.'));
    const timer = setTimeout(
      () => refuse(new WherryError('too-slow', `The request took longer than ${patience / 1000} s to come.`)),
      patience,
    );
    if (Number(request.headers['content-length'] ?? 0) > bytes) return tooLarge();
    if (request.destroyed) return onClose();
    request.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}

/** Milliseconds without a byte of a body that may be of any length. */
const longestPause = 60_000;

/** The body as it comes, however long. The request outlives it: the answer is still to be sent. */
export function bodyStream(request: IncomingMessage): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    if (request.readableEnded) return;
    const cut = () => request.destroy(new WherryError('too-slow', 'The rest of the request did not come.'));
    const pause = () => setTimeout(cut, longestPause);
    let timer = pause();
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        clearTimeout(timer);
        yield chunk as Buffer;
        timer = pause();
      }
    } finally {
      clearTimeout(timer);
    }
  }
  const stream = Readable.from(chunks(), { objectMode: false });
  // Of a client that left in the middle: whoever reads it is told, and nobody else needs to be.
  return stream.on('error', () => {});
}

/**
 * Closing while the client still sends would cost it the end of the answer, so it closes, or ends its input, first; one that
 * does neither is cut off.
 */
export function leaveToClient(request: IncomingMessage): void {
  if (request.complete) return;
  request.removeAllListeners('data').resume();
  const cut = () => {
    if (!request.complete) request.socket.destroy();
  };
  setTimeout(cut, partingTime).unref();
}
