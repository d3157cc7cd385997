import { WherryError } from '../../domain/errors.ts';
import type { Buildpack } from './buildpack.ts';

export type OrderEntry = { readonly buildpack: Buildpack; readonly optional: boolean };
/** Groups in the order they are tried; the first that passes detection builds. */
export type Order = readonly (readonly OrderEntry[])[];

/** The same by id, as operators and apps name them. */
export type OrderNames = readonly (readonly { readonly id: string; readonly optional?: boolean }[])[];

export const builtInOrder: OrderNames = [
  [{ id: 'wherry/nodejs' }, { id: 'wherry/procfile', optional: true }],
  [{ id: 'wherry/static' }, { id: 'wherry/procfile', optional: true }],
  [{ id: 'wherry/procfile' }],
];

/** @throws failed when a buildpack of the order is not there */
export function resolveOrder(names: OrderNames, known: ReadonlyMap<string, Buildpack>): Order {
  return names.map(group =>
    group.map(({ id, optional = false }) => {
      const buildpack = known.get(id);
      if (!buildpack) throw new WherryError('failed', `Buildpack ${id} is missing. Install Wherry again.`);
      return { buildpack, optional };
    }),
  );
}
