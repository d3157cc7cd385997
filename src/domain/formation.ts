import { type KnobName, readScalingRules } from './scaling.ts';

/** What an app says itself, in its app.json, of how many instances its process types run; what is set for it goes before. */
export type Formation = Readonly<Record<string, FormationOf>>;

type FormationOf = {
  readonly quantity?: number;
  /** How many instances start at once. */
  readonly maxParallel?: number;
  /** As `autoscale:set` takes it; of web alone. */
  readonly autoscaling?: Scaling;
};

type Scaling = { readonly [Name in KnobName]?: string };

/** The property that keeps the formation of an app's live release. */
export const formationKey = 'app-json-formation';

/** Where knobs are looked up: the app's own, its app.json's, those for all apps. */
export type KnobLayer = (name: KnobName) => string | undefined;

/**
 * The knobs of several layers, the nearest first. Where the least of one and the most of another do not fit together, the nearer
 * one holds for both.
 */
export function layered(layers: readonly KnobLayer[]): KnobLayer {
  const depth = (name: KnobName) => layers.findIndex(layer => layer(name) !== undefined);
  const value = (name: KnobName) => layers[depth(name)]?.(name);
  const [min, max] = [value('min'), value('max')];
  const apart = min !== undefined && max !== undefined && Number(min) > Number(max);
  if (!apart || depth('min') === depth('max')) return value;
  const [nearer, farther] =
    depth('min') < depth('max') ? (['min', 'max'] as const) : (['max', 'min'] as const);
  return name => value(name === farther ? nearer : name);
}

/** @throws invalid for knobs that are wrong or do not fit together */
export function checkScaling(scaling: Scaling): void {
  readScalingRules(name => scaling[name], 1);
}
