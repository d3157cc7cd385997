import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import type { Image } from '../../domain/image.ts';
import type { LoadRequest } from '../builder.ts';
import type { LayerStore } from '../layers/store.ts';
import { makeWorkFolder } from '../lifecycle/work-folder.ts';
import { adoptImage } from './adopt.ts';
import { readImage, unpackArchive } from './archive.ts';
import { remember } from './memory.ts';

/** Makes an image archive that somebody sends one of our images. @throws invalid or build-failed */
export async function loadImage(
  request: LoadRequest,
  { builds, layers }: { builds: string; layers: LayerStore },
): Promise<Image> {
  const { app, name, progress, signal, limits } = request;
  const work = await makeWorkFolder(join(builds, app));
  const release = layers.hold();
  try {
    const file = join(work.dir, 'archive');
    await receive(request, file);
    const into = work.folder('archive.d');
    await unpackArchive({ file, into, name: `Image ${name}` });
    const files = readImage(into, `Image ${name}`, name);
    progress.detail(`Unpacking ${files.layers.length} layers`);
    const limit = limits.disk;
    const image = await adoptImage({ files, layers, builds, name: `image ${name}`, limit, progress, signal });
    remember(builds, app, { key: 'loaded', image });
    return image;
  } finally {
    release();
    await work.remove();
  }
}

async function receive({ archive, limits, signal }: LoadRequest, file: string): Promise<void> {
  let left = limits.disk;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      done(left < 0 ? tooLarge(limits.disk) : null, chunk);
    },
  });
  const timed = AbortSignal.any([signal, AbortSignal.timeout(limits.time)]);
  await pipeline(archive, counted, createWriteStream(file, { mode: 0o600 }), { signal: timed });
}

function tooLarge(limit: number): WherryError {
  return new WherryError(
    'invalid',
    `The archive is larger than ${formatBytes(limit)}. Send a smaller image.`,
  );
}
