// Instances that a restart made are of the release of those that they replace: their generation tells them apart.
import type { App } from '../domain/app.ts';
import type { Store } from '../store/store.ts';

/** The property that holds the one that serves. */
export const generationKey = 'generation';

export function generationOf({ properties }: Store, { id }: App): number {
  return Number(properties.get(`app:${id}`, generationKey) ?? 0);
}

/** With the switch to it. */
export function setGeneration({ properties }: Store, { id }: App, generation: number): void {
  properties.set(`app:${id}`, generationKey, String(generation));
}
