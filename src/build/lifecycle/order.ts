import { WherryError } from '../../domain/errors.ts';
import type { Buildpack } from './buildpack.ts';

export type OrderEntry = { readonly buildpack: Buildpack; readonly optional: boolean };
/** Groups in the order they are tried; the first that passes detection builds. */
export type Order = readonly (readonly OrderEntry[])[];

/** The same by id, as operators and apps name them. */
export type OrderNames = readonly (readonly {
  readonly id: string;
  readonly version?: string | undefined;
  readonly optional?: boolean;
}[])[];

/** What every group of ours begins and ends with. */
const around = (...ids: readonly string[]): OrderNames[number] => [
  { id: 'wherry/apt', optional: true },
  ...ids.map(id => ({ id })),
  { id: 'wherry/procfile', optional: true },
];

export const builtInOrder: OrderNames = [
  around('wherry/null'),
  around('wherry/deno'),
  // Before Node: beside them a package.json is mostly for the assets.
  around('wherry/ruby'),
  around('wherry/nodejs', 'wherry/php'),
  around('wherry/php'),
  around('wherry/java'),
  around('wherry/go'),
  around('wherry/rust'),
  around('wherry/nodejs', 'wherry/python'),
  around('wherry/python'),
  // A site that Node builds and that Staticfile says to serve.
  around('wherry/nodejs', 'wherry/static'),
  around('wherry/nodejs'),
  around('wherry/static'),
  [{ id: 'wherry/apt', optional: true }, { id: 'wherry/procfile' }],
];

/** By `id@version` where several versions may be here, as the parts of buildpackages; else by id alone. */
export function findBuildpack(
  known: ReadonlyMap<string, Buildpack>,
  { id, version }: { id: string; version?: string | undefined },
): Buildpack | undefined {
  return (version === undefined ? undefined : known.get(`${id}@${version}`)) ?? known.get(id);
}

/** @throws failed when a buildpack of the order is not there */
export function resolveOrder(names: OrderNames, known: ReadonlyMap<string, Buildpack>): Order {
  return names.map(group =>
    group.map(({ id, version, optional = false }) => {
      const buildpack = findBuildpack(known, { id, version });
      if (!buildpack) throw new WherryError('failed', `Buildpack ${id} is missing. Install Wherry again.`);
      return { buildpack, optional };
    }),
  );
}
