import type { App } from '../domain/app.ts';
import type { ProcessType } from '../domain/names.ts';
import type { Store } from '../store/store.ts';

type Properties = Pick<Store['properties'], 'list' | 'setList'>;

const key = 'stopped-types';

/** Process types of an app that were stopped by hand while the others run on. */
export function stoppedTypes(properties: Properties, app: App): readonly ProcessType[] {
  return properties.list(`app:${app.id}`, key) as readonly ProcessType[];
}

export function setStoppedTypes(properties: Properties, app: App, types: Iterable<ProcessType>): void {
  properties.setList(`app:${app.id}`, key, [...new Set(types)].sort());
}

/** The counts as they run: none of what was stopped by hand. */
export function withoutStopped(
  counts: ReadonlyMap<ProcessType, number>,
  stopped: readonly ProcessType[],
): ReadonlyMap<ProcessType, number> {
  return new Map([...counts].map(([type, count]) => [type, stopped.includes(type) ? 0 : count]));
}
