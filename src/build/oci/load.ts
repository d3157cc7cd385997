import { join } from 'node:path';
import type { Image } from '../../domain/image.ts';
import type { LoadRequest } from '../builder.ts';
import type { LayerStore } from '../layers/store.ts';
import { makeWorkFolder } from '../lifecycle/work-folder.ts';
import { saveStream } from '../save-stream.ts';
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
    const { disk, time } = limits;
    await saveStream(request.archive, file, { most: disk, time, signal });
    const into = work.folder('archive.d');
    await unpackArchive({ file, into, name: `Image ${name}` });
    const files = readImage(into, `Image ${name}`, name);
    progress.detail(`Unpacking ${files.layers.length} layers`);
    const image = await adoptImage({
      files,
      layers,
      builds,
      name: `image ${name}`,
      limit: disk,
      progress,
      signal,
    });
    remember(builds, app, { key: 'loaded', image });
    return image;
  } finally {
    release();
    await work.remove();
  }
}
