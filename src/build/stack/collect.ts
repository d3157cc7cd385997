import type { DiffId } from '../../domain/image.ts';
import type { LayerStore } from '../layers/store.ts';
import { deleteGeneration, type Generation, generationsOf, stacksIn } from './generation.ts';
import { deletePart, partsIn } from './part.ts';

/** Milliseconds that a superseded generation stays: a build that began on it ends within its time limit. */
const grace = 3_600_000;

/**
 * Deletes generations that are not the newest of their stack and that no release on the host is on, and the layers of packages
 * that were made on them. `gone` are some whose files were deleted already.
 */
export async function collectStacks(options: {
  readonly home: string;
  readonly dir: string;
  readonly layers: Pick<LayerStore, 'removeShared'>;
  readonly used: ReadonlySet<DiffId>;
  readonly now: Date;
  readonly gone?: readonly Generation[];
}): Promise<void> {
  const { home, dir, used, now } = options;
  const all = stacksIn(dir).map(name => generationsOf(dir, name));
  const old = all.flatMap(generations => superseded(generations, { used, now }));
  for (const generation of old) deleteGeneration(dir, generation);
  const left = all.flat().filter(each => !old.includes(each));
  const dead = new Set([...old, ...(options.gone ?? [])].flatMap(layersOf));
  const kept = new Set([...left.flatMap(layersOf), ...used]);
  for (const [key, part] of partsIn(home)) {
    if (part.base.some(id => dead.has(id) && !kept.has(id))) {
      deletePart(home, key);
      dead.add(part.layer);
    } else kept.add(part.layer);
    for (const id of part.former ?? []) dead.add(id);
  }
  await options.layers.removeShared([...dead].filter(id => !kept.has(id)));
}

/** Those of one stack that a newer one of the same recipe has taken the place of. */
function superseded(
  generations: readonly Generation[],
  { used, now }: { used: ReadonlySet<DiffId>; now: Date },
): readonly Generation[] {
  return generations.filter((each, place) => {
    // Another version of Wherry on the host may have a recipe, and so a newest one, of its own.
    const next = generations.slice(place + 1).find(later => recipeOf(later) === recipeOf(each));
    if (!next || now.getTime() - Date.parse(next.madeAt) < grace) return false;
    const others = new Set(generations.filter(other => other !== each).flatMap(layersOf));
    return !layersOf(each).some(id => used.has(id) && !others.has(id));
  });
}

function recipeOf({ spec }: Generation): string {
  return spec.kind === 'debian' ? spec.recipe : spec.kind;
}

function layersOf({ run, build }: Generation): readonly DiffId[] {
  return [...run, ...build];
}
