import type { App } from '../domain/app.ts';
import type { Image } from '../domain/image.ts';
import { type Parallel, parseAtOnce, typesAtOnceKey, unlimited } from '../domain/parallel.ts';
import { psKey } from '../domain/upkeep.ts';
import type { Store } from '../store/store.ts';

/** How much of a deploy of this image starts at once: as set for the app, else as its app.json says, else as set for all. */
export function parallelOf(
  { properties }: Pick<Store, 'properties'>,
  { id }: App,
  { formation }: Pick<Image, 'formation'>,
): Parallel {
  const key = psKey('max-parallel');
  const read = (text: string | undefined) =>
    text === undefined ? undefined : parseAtOnce('max-parallel', text);
  const own = read(properties.get(`app:${id}`, key));
  const usual = read(properties.get('global', key)) ?? unlimited;
  const types = properties.resolve(id, typesAtOnceKey);
  return {
    instances: type => own ?? formation?.[type]?.maxParallel ?? usual,
    types: types === undefined ? unlimited : parseAtOnce(typesAtOnceKey, types),
  };
}
