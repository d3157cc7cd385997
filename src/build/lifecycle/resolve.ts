import { apiAtLeast } from './api.ts';
import type { Buildpack } from './buildpack.ts';
import { forExecEnv } from './launch.ts';
import type { Order } from './order.ts';
import { type Alternative, type Passed, type Plan, resolvePlan, whyNoPlan } from './plan.ts';
import { type Base, fitsBase } from './targets.ts';

// What follows from the answers of detects, which are asked elsewhere.

/** What a buildpack's detect answered. */
export type Verdict =
  | {
      readonly kind: 'passed';
      readonly alternatives: readonly Alternative[];
      readonly output: readonly string[];
    }
  | { readonly kind: 'failed' | 'errored'; readonly output: readonly string[] };

/** The group that builds, and the plan that its buildpacks agreed on. */
export type Detection = { readonly group: readonly Buildpack[]; readonly plan: Plan };

type Group = Order[number];

/** Whose answers count for a group. One that must take part is not asked where it cannot run; an optional one is, as in the reference. */
export function candidates(group: Group, base: Base): readonly Buildpack[] {
  return takingPart(group).flatMap(({ buildpack, optional }) =>
    optional || fitsBase(buildpack.targets, base) ? [buildpack] : [],
  );
}

/**
 * The buildpacks of a group that take part, if every one that must passes, at least one does, and their plan works out with
 * what the platform provides. A candidate without an answer has not passed.
 */
export function resolveGroup(
  group: Group,
  verdicts: ReadonlyMap<Buildpack, Verdict>,
  platform: ReadonlySet<string>,
  base: Base,
): Detection | undefined {
  const passed = passedOf(group, verdicts, base);
  const plan = passed && passed.length > 0 ? resolvePlan(passed, platform) : undefined;
  if (!plan) return undefined;
  const byId = new Map(group.map(({ buildpack }) => [buildpack.id, buildpack]));
  return { plan, group: plan.group.flatMap(id => byId.get(id) ?? []) };
}

/** Why a group whose buildpacks pass has no plan; undefined for any other group. */
export function planTrouble(
  group: Group,
  verdicts: ReadonlyMap<Buildpack, Verdict>,
  platform: ReadonlySet<string>,
  base: Base,
): string | undefined {
  const passed = passedOf(group, verdicts, base);
  return passed && whyNoPlan(passed, platform);
}

/** Those of a group that passed; undefined if one that must did not. */
function passedOf(
  group: Group,
  verdicts: ReadonlyMap<Buildpack, Verdict>,
  base: Base,
): readonly Passed[] | undefined {
  const asked = new Set(candidates(group, base));
  const passed: Passed[] = [];
  for (const { buildpack, optional } of takingPart(group)) {
    const verdict = asked.has(buildpack) ? verdicts.get(buildpack) : undefined;
    if (verdict?.kind === 'passed')
      passed.push({ id: buildpack.id, optional, alternatives: verdict.alternatives });
    else if (!optional) return undefined;
  }
  return passed;
}

/** Those for other execution environments are passed over without failing the group. */
function takingPart(group: Group): Group {
  return group.filter(({ buildpack }) => !apiAtLeast(buildpack.api, 12) || forExecEnv(buildpack.execEnvs));
}
