import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import { readToml } from '../toml.ts';
import { apiAtLeast } from './api.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import { baseEnv, type Container } from './container.ts';
import { forExecEnv } from './launch.ts';
import type { Order } from './order.ts';
import { createLines } from './output.ts';
import { type Alternative, type Plan, planSchema, resolvePlan } from './plan.ts';
import { describeBase, fitsBase, ourBase } from './targets.ts';

export type Detection = { readonly group: readonly Buildpack[]; readonly plan: Plan };

export type DetectOptions = {
  readonly order: Order;
  readonly container: Pick<Container, 'run'>;
  /** Host folder of the plan files, /cnb/plans inside. */
  readonly plans: string;
  /** Names that the platform provides. */
  readonly platform: ReadonlySet<string>;
  readonly progress: Progress;
};

type Verdict =
  | {
      readonly kind: 'passed';
      readonly alternatives: readonly Alternative[];
      readonly output: readonly string[];
    }
  | { readonly kind: 'failed' | 'errored'; readonly output: readonly string[] };

/** Lines that are kept of what one detect prints. */
const mostLines = 2000;

/**
 * The first group of the order that passes and whose plan works out; each buildpack is asked once, those of a group at the
 * same time. What an erring detect printed is always shown, that of the others only if no group passes.
 * @throws build-failed when none does
 */
export async function detect(options: DetectOptions): Promise<Detection> {
  const { order, platform, progress } = options;
  const verdicts = new Map<Buildpack, Promise<Verdict>>();
  const ask = (buildpack: Buildpack) => {
    const asked = verdicts.get(buildpack) ?? runDetect(buildpack, options);
    verdicts.set(buildpack, asked);
    return asked;
  };
  for (const group of order) {
    const answers = await Promise.all(
      group
        .filter(({ buildpack }) => !apiAtLeast(buildpack.api, 12) || forExecEnv(buildpack.execEnvs))
        .map(async entry => ({ ...entry, verdict: await judge(entry, ask) })),
    );
    if (answers.some(({ optional, verdict }) => !optional && verdict.kind !== 'passed')) continue;
    const passed = answers.flatMap(({ buildpack, optional, verdict }) =>
      verdict.kind === 'passed' ? [{ id: buildpack.id, optional, alternatives: verdict.alternatives }] : [],
    );
    const plan = passed.length > 0 ? resolvePlan(passed, platform) : undefined;
    if (!plan) continue;
    await show(verdicts, progress, 'errored');
    const byId = new Map(group.map(({ buildpack }) => [buildpack.id, buildpack]));
    return { plan, group: plan.group.flatMap(id => byId.get(id) ?? []) };
  }
  return await nothingFound(options, verdicts);
}

/** One that must take part is not asked where it cannot run; an optional one is, as in the reference. */
async function judge(
  { buildpack, optional }: Order[number][number],
  ask: (buildpack: Buildpack) => Promise<Verdict>,
): Promise<Verdict> {
  if (optional || fitsBase(buildpack.targets, ourBase)) return await ask(buildpack);
  return { kind: 'errored', output: [] };
}

async function runDetect(buildpack: Buildpack, { container, plans }: DetectOptions): Promise<Verdict> {
  const output: string[] = [];
  const lines = createLines(line => {
    if (output.length < mostLines) output.push(line);
  });
  const file = `${escapedId(buildpack.id)}.toml`;
  const code = await container.run({
    buildpack,
    program: 'detect',
    args: ['/platform', `/cnb/plans/${file}`],
    base: baseEnv,
    cnb: { CNB_BUILD_PLAN_PATH: `/cnb/plans/${file}` },
    onOutput: lines.write,
  });
  lines.end();
  if (code !== 0) return { kind: code === 100 ? 'failed' : 'errored', output };
  try {
    const name = `build plan of ${buildpack.id}`;
    const alternatives = readToml({ file: join(plans, file), name, schema: planSchema });
    return { kind: 'passed', alternatives: alternatives ?? [{ provides: [], requires: [] }], output };
  } catch (error) {
    if (!(error instanceof WherryError)) throw error;
    return { kind: 'errored', output: [...output, error.message] };
  }
}

type Verdicts = ReadonlyMap<Buildpack, Promise<Verdict>>;

async function show(verdicts: Verdicts, progress: Progress, only?: Verdict['kind']): Promise<void> {
  for (const [{ id }, verdict] of verdicts) {
    const { kind, output } = await verdict;
    if (output.length === 0 || (only !== undefined && kind !== only)) continue;
    progress.detail(`Detection by ${id} (${kind}):`);
    for (const line of output) progress.raw(line);
  }
}

/** A detect that erred says why the app was not recognised; one that merely failed has nothing to add. */
async function nothingFound({ order, progress }: DetectOptions, verdicts: Verdicts): Promise<never> {
  await show(verdicts, progress);
  for (const [{ id }, verdict] of verdicts) {
    if ((await verdict).kind === 'errored')
      throw new WherryError('build-failed', `Detection by buildpack ${id} failed; its output is above.`);
  }
  const misfit = order.flat().find(({ buildpack }) => !fitsBase(buildpack.targets, ourBase));
  if (misfit)
    throw new WherryError(
      'build-failed',
      `Buildpack ${misfit.buildpack.id} is not for ${describeBase(ourBase)}. Use one that is.`,
    );
  throw new WherryError(
    'build-failed',
    'No buildpack can build this: add what its language is known by (as package.json, requirements.txt, go.mod), an index.html, or a Procfile to the root of the repository.',
  );
}
