import type { ProcessType } from '../domain/names.ts';
import type { Parallel } from '../domain/parallel.ts';

/** What starts at once, then what starts when that is ready, and so on. Where not all types may be at once, web is of the first. */
export function wavesOf<Placed extends { readonly type: ProcessType }>(
  placed: readonly Placed[],
  parallel: Parallel | undefined,
): readonly (readonly Placed[])[] {
  if (!parallel) return [placed];
  const types = [...new Set(placed.map(({ type }) => type))];
  const webFirst = types.sort((one, other) => Number(other === 'web') - Number(one === 'web'));
  const queues = webFirst.map(type =>
    chunked(
      placed.filter(each => each.type === type),
      parallel.instances(type),
    ),
  );
  return chunked(queues, parallel.types).flatMap(sideBySide);
}

/** The first of each, the second of each, and so on. */
function sideBySide<Item>(queues: readonly (readonly (readonly Item[])[])[]): readonly (readonly Item[])[] {
  const longest = Math.max(...queues.map(queue => queue.length));
  return Array.from({ length: longest }, (_, at) => queues.flatMap(queue => queue[at] ?? []));
}

function chunked<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  if (size >= items.length) return [items];
  return [items.slice(0, size), ...chunked(items.slice(size), size)];
}
