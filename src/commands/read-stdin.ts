import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { WherryError } from '../domain/errors.ts';

/** Milliseconds for a person to type. */
const patience = 60_000;

/**
 * Text from a client's standard input: its first line, or all of it up to the end.
 * Empty when there is none. At most `max` bytes, at most a minute.
 * @throws invalid when it is more, or no UTF-8, usage when nothing comes, interrupted when the client leaves
 */
export function readStdin(
  stdin: Readable | undefined,
  { until, max, signal }: { until: 'line' | 'end'; max: number; signal: AbortSignal },
): Promise<string> {
  if (!stdin || stdin.readableEnded || stdin.destroyed) return Promise.resolve('');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const leave = () => {
      clearTimeout(timer);
      stdin.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      stdin.pause();
    };
    const refuse = (error: WherryError) => {
      leave();
      reject(error);
    };
    const onEnd = () => {
      leave();
      const bytes = Buffer.concat(chunks);
      // Read as text all the same, it would be kept as other bytes than were sent.
      if (isUtf8(bytes)) resolve(bytes.toString('utf8'));
      else reject(new WherryError('invalid', 'Standard input is not UTF-8. Send it as UTF-8 text.'));
    };
    const onData = (data: Buffer | string) => {
      const chunk = Buffer.from(data);
      const end = until === 'line' ? chunk.indexOf(10) : -1;
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      size += chunk.length;
      if (end >= 0) onEnd();
      else if (size > max)
        refuse(new WherryError('invalid', `More than ${max} bytes came on standard input. Give less.`));
    };
    // Half of what was meant must not pass for all of it.
    const onError = () =>
      refuse(new WherryError('interrupted', 'The client left before its standard input was complete.'));
    const onAbort = () => refuse(new WherryError('interrupted', 'Interrupted.'));
    const timer = setTimeout(
      () => refuse(new WherryError('usage', 'Nothing came on standard input for a minute.')),
      patience,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) return onAbort();
    stdin.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
  });
}
