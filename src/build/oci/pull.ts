import { join } from 'node:path';
import type { Image } from '../../domain/image.ts';
import type { PullImageRequest } from '../builder.ts';
import type { LayerStore } from '../layers/store.ts';
import { makeWorkFolder } from '../lifecycle/work-folder.ts';
import type { Found, Registries } from '../registry/registries.ts';
import { adoptImage } from './adopt.ts';
import { readImage } from './archive.ts';
import { known } from './import.ts';
import { remember, remembered } from './memory.ts';

type PullOptions = {
  readonly builds: string;
  readonly layers: LayerStore;
  readonly registries: Pick<Registries, 'resolve' | 'download'>;
};

/**
 * Makes an image of a registry one of ours. One that the app had last is not fetched again; one that is named by its digest then
 * asks no registry at all.
 * @throws invalid, not-found, access-denied or unavailable, as a registry's answer is; build-failed
 */
export async function pullImage(
  request: PullImageRequest,
  options: PullOptions,
): Promise<{ image: Image; digest: string }> {
  const { app, ref, progress } = request;
  const { builds, layers, registries } = options;
  const release = layers.hold();
  try {
    const held = (digest: string): Image | undefined => {
      const image = remembered(builds, app, keyOf(digest));
      return image?.layers.every(layers.has) ? image : undefined;
    };
    const pinned = ref.digest === undefined ? undefined : held(ref.digest);
    if (ref.digest !== undefined && pinned) return { image: pinned, digest: ref.digest };
    const found = await registries.resolve(ref, request);
    const { digest } = found;
    progress.detail(`Digest: ${digest}`);
    const image = held(digest) ?? (await fetchImage(found, request, options));
    remember(builds, app, { key: keyOf(digest), image });
    return { image, digest };
  } finally {
    release();
  }
}

async function fetchImage(
  found: Found,
  request: PullImageRequest,
  { builds, layers, registries }: PullOptions,
): Promise<Image> {
  const { app, ref, limits, progress, signal } = request;
  const work = await makeWorkFolder(join(builds, app));
  try {
    const into = work.folder('image');
    const has = (diffId: string) => known({ builds, layers }, diffId) !== undefined;
    await registries.download(found, { ...request, into, has });
    const files = readImage(into, `Image ${ref.text}`, 'image');
    const name = `image ${ref.text}`;
    progress.detail(`Unpacking ${files.layers.length} layers`);
    return await adoptImage({ files, layers, builds, name, limit: limits.disk, progress, signal });
  } finally {
    await work.remove();
  }
}

function keyOf(digest: string): string {
  return `pulled ${digest}`;
}
