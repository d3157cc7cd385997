import type { Image } from '../../domain/image.ts';
import type { Progress } from '../../domain/push.ts';
import { readEtcFile } from './accounts.ts';
import type { ImageFiles } from './archive.ts';
import { type Foreign, foreignImage } from './image.ts';
import { type ImportOptions, importLayers } from './import.ts';

export type Adoption = ImportOptions &
  Pick<Foreign, 'procfile' | 'appJson'> & { readonly files: ImageFiles; readonly progress: Progress };

/** An image from elsewhere becomes one of ours, its layers in our store. @throws invalid or build-failed */
export async function adoptImage(adoption: Adoption): Promise<Image> {
  const { files, layers: store, progress, procfile, appJson } = adoption;
  const layers = await importLayers(files, adoption);
  const read = (name: 'passwd' | 'group') => readEtcFile(name, layers, store.layerPath);
  const { image, warnings } = foreignImage({
    config: files.config,
    layers,
    accounts: { passwd: read('passwd'), group: read('group') },
    ...(procfile ? { procfile } : {}),
    ...(appJson ? { appJson } : {}),
  });
  for (const warning of warnings) progress.warn(warning);
  return image;
}
