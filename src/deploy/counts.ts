import type { App } from '../domain/app.ts';
import { type Formation, formationKey, layered } from '../domain/formation.ts';
import type { Image } from '../domain/image.ts';
import { type ProcessType, parseProcessType } from '../domain/names.ts';
import { knobKey, readScalingRules, type ScalingRules } from '../domain/scaling.ts';
import type { Store } from '../store/store.ts';

export const web: ProcessType = parseProcessType('web');
/** How many instances of web autoscaling has chosen. */
export const scaledKey = 'scaled-web';

/** What the app.json of the live release says. */
export function formationOf(store: Store, app: App): Formation {
  return JSON.parse(store.properties.get(`app:${app.id}`, formationKey) ?? '{}') as Formation;
}

/** The formation of the image that is live from now on, where it is read without the image. */
export function rememberFormation(store: Store, app: App, { formation }: Pick<Image, 'formation'>): void {
  const text = formation && JSON.stringify(formation);
  const scope = `app:${app.id}`;
  if (store.properties.get(scope, formationKey) !== text) store.properties.set(scope, formationKey, text);
}

/** What `ps:scale` says, else the app.json; `web` runs once and others not at all until asked. */
function scaleOf(store: Store, app: App, type: ProcessType, formation: Formation): number {
  return store.formation.get(app).get(type) ?? formation[type]?.quantity ?? (type === web ? 1 : 0);
}

/** How a process type scales by itself. */
export function scalingOf(
  store: Store,
  app: App,
  type: ProcessType,
  formation = formationOf(store, app),
): ScalingRules {
  const { properties } = store;
  const get = layered([
    name => properties.get(`app:${app.id}`, knobKey(type, name)),
    name => formation[type]?.autoscaling?.[name],
    name => properties.get('global', knobKey(type, name)),
  ]);
  return readScalingRules(get, scaleOf(store, app, type, formation));
}

/** What autoscaling chose for web, within its bounds; web that is scaled to none stays so. */
function scaledWeb(store: Store, app: App, formation: Formation): number {
  const scale = scaleOf(store, app, web, formation);
  const { automatic, min, max } = scalingOf(store, app, web, formation);
  if (!automatic || scale === 0) return scale;
  const chosen = Number(store.properties.get(`app:${app.id}`, scaledKey) ?? scale);
  return Math.min(Math.max(chosen, min, 1), max);
}

/** The counts of the types that an image has. */
export function countsFor(store: Store, app: App, image: Image): ReadonlyMap<ProcessType, number> {
  const { processes, formation = {} } = image;
  const types = processes.map(process => process.type).filter(type => type !== 'release');
  return new Map(
    types.map(type => [
      type,
      type === web ? scaledWeb(store, app, formation) : scaleOf(store, app, type, formation),
    ]),
  );
}
