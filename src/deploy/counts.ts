import type { App } from '../domain/app.ts';
import type { Image } from '../domain/image.ts';
import { type ProcessType, parseProcessType } from '../domain/names.ts';
import { knobKey, readScalingRules, type ScalingRules } from '../domain/scaling.ts';
import type { Store } from '../store/store.ts';

export const web: ProcessType = parseProcessType('web');
/** How many instances of web autoscaling has chosen. */
export const scaledKey = 'scaled-web';

function scaleOf(store: Store, app: App, type: ProcessType): number {
  return store.formation.get(app).get(type) ?? (type === web ? 1 : 0);
}

/** How a process type scales by itself. */
export function scalingOf(
  store: Store,
  app: App,
  type: ProcessType,
  scale = scaleOf(store, app, type),
): ScalingRules {
  return readScalingRules(name => store.properties.resolve(app.id, knobKey(type, name)), scale);
}

/** What autoscaling chose for web, within its bounds; web that is scaled to none stays so. */
function scaledWeb(store: Store, app: App, scale: number): number {
  const { automatic, min, max } = scalingOf(store, app, web, scale);
  if (!automatic || scale === 0) return scale;
  const chosen = Number(store.properties.get(`app:${app.id}`, scaledKey) ?? scale);
  return Math.min(Math.max(chosen, min, 1), max);
}

/** The stored counts for the types an image has; `web` runs once and others not at all until asked. */
export function countsFor(store: Store, app: App, image: Image): ReadonlyMap<ProcessType, number> {
  const stored = store.formation.get(app);
  const types = image.processes.map(process => process.type).filter(type => type !== 'release');
  return new Map(
    types.map(type => [
      type,
      type === web ? scaledWeb(store, app, stored.get(web) ?? 1) : (stored.get(type) ?? 0),
    ]),
  );
}
