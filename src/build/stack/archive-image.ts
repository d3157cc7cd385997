import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import { deadline } from '../../system/deadline.ts';
import { readImage, unpackArchive } from '../oci/archive.ts';
import type { StackImage } from './image-stack.ts';

/** Bytes that are read of an archive, and milliseconds that it may take to come. */
const limits = { bytes: 8 * 2 ** 30, time: 1_800_000 };

/** An image that somebody sends as an archive (docker save, OCI layout), for a stack. Can be opened once. */
export function archiveImage(title: string, archive: Readable): StackImage {
  return {
    title,
    async open(dir, signal) {
      const file = join(dir, 'archive');
      const into = join(dir, 'unpacked');
      const timed = AbortSignal.any([...(signal ? [signal] : []), deadline(limits.time)]);
      await pipeline(archive, counted(), createWriteStream(file, { mode: 0o600 }), { signal: timed });
      await mkdir(into);
      await unpackArchive({ file, into, name: title });
      return readImage(into, title);
    },
  };
}

function counted(): Transform {
  let left = limits.bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      const tooLarge = () =>
        new WherryError(
          'invalid',
          `The archive is larger than ${formatBytes(limits.bytes)}. Send a smaller image.`,
        );
      done(left < 0 ? tooLarge() : null, chunk);
    },
  });
}
