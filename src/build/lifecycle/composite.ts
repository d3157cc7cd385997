import { WherryError } from '../../domain/errors.ts';
import type { Buildpack } from './buildpack.ts';
import { findBuildpack, type Order, type OrderNames, resolveOrder } from './order.ts';

/** Groups as buildpacks, apps and operators write them. */
export type NamedOrder = OrderNames;

type Group = NamedOrder[number];
type Entry = Group[number];

/** More groups than people write; a few composites that name each other's parts can make millions. */
const mostGroups = 1000;

/**
 * An order in which composite buildpacks are replaced by what they are made of: depth first, left to right, each of their
 * groups followed by the rest of the group that they are in; an optional one also by nothing. The second time that an id
 * comes up in a group it is left out.
 * @throws build-failed for composites that contain themselves
 */
export function expandOrder(
  order: NamedOrder,
  partsOf: (entry: Entry) => NamedOrder | undefined,
): NamedOrder {
  const groups: Group[] = [];
  const add = (group: Group) => {
    if (groups.length === mostGroups)
      throw new WherryError(
        'build-failed',
        `The order of buildpacks makes more than ${mostGroups} groups. Name fewer composite buildpacks.`,
      );
    groups.push(group);
  };
  for (const group of order) {
    for (const expanded of expand({ done: [], rest: group.map(within([])) }, partsOf)) add(expanded);
  }
  return groups;
}

/** The order that detection tries. @throws build-failed for a version that is not there */
export function orderOf(names: NamedOrder, known: ReadonlyMap<string, Buildpack>): Order {
  const expanded = expandOrder(names, ({ id, version }) => {
    const buildpack = findBuildpack(known, { id, version });
    if (buildpack && version !== undefined && version !== buildpack.version)
      throw new WherryError(
        'build-failed',
        `Buildpack ${id} is here as ${buildpack.version}, not as ${version}. Ask for that version, or for none.`,
      );
    return buildpack?.order;
  });
  return resolveOrder(expanded, known);
}

/** An entry and the composites that it came out of. */
type Nested = { readonly entry: Entry; readonly inside: readonly string[] };
type Point = { readonly done: Group; readonly rest: readonly Nested[] };

function* expand({ done, rest }: Point, partsOf: (entry: Entry) => NamedOrder | undefined): Generator<Group> {
  const [first, ...others] = rest;
  if (!first) {
    if (done.length > 0) yield done;
    return;
  }
  const { entry, inside } = first;
  const parts = partsOf(entry);
  if (!parts) {
    const again = done.some(({ id }) => id === entry.id);
    yield* expand({ done: again ? done : [...done, entry], rest: others }, partsOf);
    return;
  }
  if (inside.includes(entry.id))
    throw new WherryError('build-failed', `Buildpack ${entry.id} contains itself. Take it out of its order.`);
  for (const group of parts) {
    yield* expand({ done, rest: [...group.map(within([...inside, entry.id])), ...others] }, partsOf);
  }
  if (entry.optional) yield* expand({ done, rest: others }, partsOf);
}

function within(inside: readonly string[]): (entry: Entry) => Nested {
  return entry => ({ entry, inside });
}
