import { dockerOptionsKey, type Phase, phaseOf } from './docker-option.ts';

/** Where options hold: in a phase, or in instances of one process type of a deploy alone. */
export type OptionPlace = { readonly phase: Phase; readonly type?: string };

type Properties = {
  get(scope: string, name: string): string | undefined;
  set(scope: string, name: string, value: string | undefined): void;
  list(scope: string, name: string): readonly string[];
  setList(scope: string, name: string, values: readonly string[]): void;
};
type Reading = Pick<Properties, 'get' | 'list'>;

/** The property that those of one process type are stored under, by type. */
const typesKey = 'docker-options-deploy-types';

export function optionsAt(
  properties: Reading,
  scope: string,
  { phase, type }: OptionPlace,
): readonly string[] {
  if (type === undefined) return properties.list(scope, dockerOptionsKey(phase));
  return byType(properties, scope).get(type) ?? [];
}

export function setOptionsAt(
  properties: Properties,
  scope: string,
  { phase, type, options }: OptionPlace & { readonly options: readonly string[] },
): void {
  if (type === undefined) {
    properties.setList(scope, dockerOptionsKey(phase), options);
    return;
  }
  const all = new Map(byType(properties, scope)).set(type, options);
  const left = [...all].filter(([, each]) => each.length > 0);
  properties.set(scope, typesKey, left.length > 0 ? JSON.stringify(left) : undefined);
}

/** Process types that have options of their own. */
export function typesWithOptions(properties: Reading, scope: string): readonly string[] {
  return [...byType(properties, scope).keys()];
}

/** What an instance of a type gets: what is of its phase, then what is its own. */
export function optionsFor(properties: Reading, scope: string, type: string): readonly string[] {
  const phase = phaseOf(type);
  const own = phase === 'deploy' ? optionsAt(properties, scope, { phase, type }) : [];
  return [...optionsAt(properties, scope, { phase }), ...own];
}

function byType(properties: Reading, scope: string): ReadonlyMap<string, readonly string[]> {
  return new Map(JSON.parse(properties.get(scope, typesKey) ?? '[]') as [string, readonly string[]][]);
}
