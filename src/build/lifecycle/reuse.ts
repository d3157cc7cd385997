import type { DiffId } from '../../domain/image.ts';
import type { Progress } from '../../domain/push.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Buildpack } from './buildpack.ts';
import { firstChange, type Surroundings } from './inputs.ts';
import type { Order } from './order.ts';
import { type BuildRecord, layersOf } from './record.ts';
import type { Detection } from './resolve.ts';

export type ReuseQuestion = {
  readonly last: BuildRecord | undefined;
  /** Keys of this build, to compare with the last one's. */
  readonly base: string;
  readonly whole: string;
  readonly source: DiffId;
  readonly around: Surroundings;
  readonly layers: LayerStore;
  readonly fresh: boolean;
  readonly progress: Progress;
};

/** The last build, if all of it but the source still holds; says why or why not. */
export function reusableBuild(question: ReuseQuestion): BuildRecord | undefined {
  const { last, around, layers, progress } = question;
  if (!last || question.fresh) return undefined;
  const afresh = (reason: string) => {
    progress.detail(`Building again: ${reason}`);
    return undefined;
  };
  if (last.base !== question.base) return afresh('the stack or the buildpacks are newer');
  if (isLost(last, layers)) return afresh('layers of the last build are gone');
  if (last.detectSnapshot && last.buildSnapshot) {
    const change = firstChange(last.detectSnapshot, around) ?? firstChange(last.buildSnapshot, around);
    if (change !== undefined) return afresh(`${change} changed`);
    for (const line of reasons(last)) progress.detail(line);
    return last;
  }
  if (last.whole !== question.whole) return undefined;
  progress.detail('Reusing the last build: source and config are unchanged');
  return last;
}

/** The last detection, if nothing that it depends on changed. */
export function reusableDetection(question: ReuseQuestion, order: Order): Detection | undefined {
  const { last, around } = question;
  if (!last || question.fresh || last.base !== question.base || !last.detectSnapshot) return undefined;
  if (firstChange(last.detectSnapshot, around) !== undefined) return undefined;
  const group = last.group.flatMap(id => onlyOne(order, id) ?? []);
  return group.length === last.group.length ? { plan: last.plan, group } : undefined;
}

/** The one with the id, unless groups of the order name several versions of it. */
function onlyOne(order: Order, id: string): Buildpack | undefined {
  const found = new Set(order.flat().flatMap(({ buildpack }) => (buildpack.id === id ? [buildpack] : [])));
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether layers that a reuse of it takes are not in the store any more. */
export function isLost(last: BuildRecord, layers: LayerStore): boolean {
  return !layersOf(last).every(id => layers.has(id) || !needed(last, id));
}

/** The source layer of the last image may be gone: a new one takes its place. */
function needed(last: BuildRecord, id: DiffId): boolean {
  return id !== last.source;
}

function reasons(last: BuildRecord): readonly string[] {
  return last.buildpacks.flatMap(({ id, inputs, layers }) => {
    const what = layers.some(({ flags }) => flags.launch) ? 'Reusing dependencies' : `Reusing ${id}`;
    const names = inputs?.files.filter(file => last.buildSnapshot?.[`file:${file}`] !== 'absent') ?? [];
    if (names.length === 0) return [];
    return [`${what}: ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} unchanged`];
  });
}
