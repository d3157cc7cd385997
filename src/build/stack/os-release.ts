import type { DiffId } from '../../domain/image.ts';
import type { Generation } from './generation.ts';
import { readInside } from './inside.ts';

/** Which distribution stacked layers are (os-release(5)); empty texts where they do not say. */
export function readRelease(
  layers: readonly DiffId[],
  layerPath: (id: DiffId) => string,
): Generation['distro'] {
  const read = (path: string) => readInside(layers, layerPath, path);
  // The one in /etc is a link to the other as a rule.
  const text = read('usr/lib/os-release') ?? read('etc/os-release') ?? '';
  const field = (name: string) =>
    new RegExp(`^${name}=(?:"([^"\\n]*)"|'([^'\\n]*)'|([^\\s"']*))\\s*$`, 'm')
      .exec(text)
      ?.slice(1)
      .find(each => each !== undefined);
  const safe = (value = '') => (/^[\w.+-]{0,64}$/.test(value) ? value : '');
  return { name: safe(field('ID')), version: safe(field('VERSION_ID')) };
}
