import { createWriteStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';
import { deadline } from '../system/deadline.ts';

/** Writes what somebody sends into a new file. @throws invalid past `most` bytes */
export async function saveStream(
  stream: Readable,
  file: string,
  { most, time, signal }: { most: number; time: number; signal: AbortSignal },
): Promise<void> {
  let left = most;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      done(left < 0 ? tooLarge(most) : null, chunk);
    },
  });
  const late = deadline(time);
  const either = AbortSignal.any([signal, late]);
  try {
    await pipeline(stream, counted, createWriteStream(file, { flags: 'wx', mode: 0o600 }), {
      signal: either,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    throw new WherryError('interrupted', 'The archive did not come to its end in time. Send it again.', {
      cause: error,
    });
  }
}

function tooLarge(most: number): WherryError {
  return new WherryError('invalid', `The archive is larger than ${formatBytes(most)}. Send a smaller one.`);
}
