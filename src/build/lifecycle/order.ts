import { WherryError } from '../../domain/errors.ts';
import type { Buildpack } from './buildpack.ts';

export type OrderEntry = { readonly buildpack: Buildpack; readonly optional: boolean };
/** Groups in the order they are tried; the first that passes detection builds. */
export type Order = readonly (readonly OrderEntry[])[];

const builtIn: readonly (readonly { readonly id: string; readonly optional?: boolean }[])[] = [
  [{ id: 'wherry/nodejs' }, { id: 'wherry/procfile', optional: true }],
  [{ id: 'wherry/static' }, { id: 'wherry/procfile', optional: true }],
  [{ id: 'wherry/procfile' }],
];

/** @throws build-failed when a buildpack of the order is not there */
export function builtInOrder(known: ReadonlyMap<string, Buildpack>): Order {
  return builtIn.map(group =>
    group.map(({ id, optional = false }) => {
      const buildpack = known.get(id);
      if (!buildpack) throw new WherryError('failed', `Buildpack ${id} is missing. Install Wherry again.`);
      return { buildpack, optional };
    }),
  );
}
