import { z } from 'zod';

/** What detect wrote (CNB Buildpack API, "Build Plan"). */
export type Require = { readonly name: string; readonly metadata: Readonly<Record<string, unknown>> };
export type Alternative = { readonly provides: readonly string[]; readonly requires: readonly Require[] };
/** A buildpack whose detect passed; alternatives in the order they are tried, the top level first. */
export type Passed = {
  readonly id: string;
  readonly optional: boolean;
  readonly alternatives: readonly Alternative[];
};

export type PlanEntry = {
  readonly name: string;
  /** Ids in group order: the entry goes to the first, and on by `unmet`. */
  readonly providers: readonly string[];
  readonly requires: readonly Require[];
};
export type Plan = {
  /** Ids of the group that builds. */
  readonly group: readonly string[];
  readonly entries: readonly PlanEntry[];
  /** Requirements that the platform meets itself, because no buildpack of the group does. */
  readonly platform: readonly Require[];
};

const require = z
  .looseObject({
    name: z.string().min(1),
    version: z.undefined({ error: 'is not a key of requires; use metadata.version' }).optional(),
    metadata: z.record(z.string(), z.unknown()).default({}),
  })
  .transform(({ name, metadata }) => ({ name, metadata }));
const alternative = z.object({
  provides: z.array(z.looseObject({ name: z.string().min(1) }).transform(({ name }) => name)).default([]),
  requires: z.array(require).default([]),
});
export const planSchema = z
  .looseObject({ ...alternative.shape, or: z.array(alternative).max(100).default([]) })
  .transform(({ provides, requires, or }): readonly Alternative[] => [{ provides, requires }, ...or]);

type Chosen = Alternative & { readonly id: string; readonly optional: boolean };

/**
 * The first choice of alternatives under which everything required is provided and the reverse; undefined when there is
 * none. Names in `platform` count as provided whenever no buildpack provides them.
 */
export function resolvePlan(passed: readonly Passed[], platform: ReadonlySet<string>): Plan | undefined {
  for (const trial of trials(passed)) {
    const plan = check(trial, platform);
    if (plan) return plan;
  }
  return undefined;
}

/** Why the first choice of alternatives is no plan, in words for a person; undefined if it is one. */
export function whyNoPlan(passed: readonly Passed[], platform: ReadonlySet<string>): string | undefined {
  const [trial = []] = trials(passed);
  const { group, misfit } = settle(trial, platform);
  if (!misfit) return undefined;
  const index = group.indexOf(misfit);
  const missing = misfit.requires.find(require => !isMet(require, group.slice(0, index + 1), platform));
  if (missing)
    return `Buildpack ${misfit.id} requires ${JSON.stringify(missing.name)}, which neither it nor one before it provides. Add one that does in front of it.`;
  const useless = misfit.provides.find(name => !isWanted(name, group.slice(index)));
  return `Buildpack ${misfit.id} provides ${JSON.stringify(useless)}, which neither it nor one behind it requires. Add one that does behind it.`;
}

/** Depth first, in order. A buildpack may be dropped only on its last alternative, so that all are tried before. */
function* trials([first, ...rest]: readonly Passed[]): Generator<readonly Chosen[]> {
  if (!first) return yield [];
  for (const [index, option] of first.alternatives.entries()) {
    const optional = first.optional && index === first.alternatives.length - 1;
    for (const others of trials(rest)) yield [{ ...option, id: first.id, optional }, ...others];
  }
}

function check(trial: readonly Chosen[], platform: ReadonlySet<string>): Plan | undefined {
  const { group, misfit } = settle(trial, platform);
  return misfit || group.length === 0 ? undefined : planOf(group);
}

/** Without the optional ones that do not fit, over and over; and the first of the others that does not. */
function settle(
  trial: readonly Chosen[],
  platform: ReadonlySet<string>,
): { readonly group: readonly Chosen[]; readonly misfit?: Chosen } {
  let group = trial;
  for (;;) {
    const misfit = group.find(
      (one, index) => !fits(one, group.slice(0, index + 1), group.slice(index), platform),
    );
    if (!misfit) return { group };
    if (!misfit.optional) return { group, misfit };
    group = group.filter(one => one !== misfit);
  }
}

function fits(
  one: Chosen,
  upTo: readonly Chosen[],
  from: readonly Chosen[],
  platform: ReadonlySet<string>,
): boolean {
  return (
    one.requires.every(require => isMet(require, upTo, platform)) &&
    one.provides.every(name => isWanted(name, from))
  );
}

function isMet({ name }: Require, upTo: readonly Chosen[], platform: ReadonlySet<string>): boolean {
  return platform.has(name) || upTo.some(({ provides }) => provides.includes(name));
}

function isWanted(name: string, from: readonly Chosen[]): boolean {
  return from.some(({ requires }) => requires.some(require => require.name === name));
}

function planOf(group: readonly Chosen[]): Plan {
  const provided = [...new Set(group.flatMap(({ provides }) => provides))];
  const required = group.flatMap(({ requires }) => requires);
  return {
    group: group.map(({ id }) => id),
    entries: provided.map(name => ({
      name,
      providers: group.filter(({ provides }) => provides.includes(name)).map(({ id }) => id),
      requires: required.filter(require => require.name === name),
    })),
    platform: required.filter(({ name }) => !provided.includes(name)),
  };
}
