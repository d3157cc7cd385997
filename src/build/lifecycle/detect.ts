import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import { readToml } from '../toml.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import { baseEnv, type Container } from './container.ts';
import type { Order } from './order.ts';
import { createLines } from './output.ts';
import { type Alternative, type Plan, planSchema, resolvePlan } from './plan.ts';

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

/**
 * The first group of the order that passes and whose plan works out; each buildpack is asked once.
 * @throws build-failed when none does
 */
export async function detect(options: DetectOptions): Promise<Detection> {
  const verdicts = new Map<Buildpack, Promise<Verdict>>();
  const ask = (buildpack: Buildpack) => {
    const asked = verdicts.get(buildpack) ?? runDetect(buildpack, options);
    verdicts.set(buildpack, asked);
    return asked;
  };
  for (const group of options.order) {
    const answers = await Promise.all(
      group.map(async entry => ({ ...entry, verdict: await ask(entry.buildpack) })),
    );
    if (answers.some(({ optional, verdict }) => !optional && verdict.kind !== 'passed')) continue;
    const passed = answers.flatMap(({ buildpack, optional, verdict }) =>
      verdict.kind === 'passed' ? [{ id: buildpack.id, optional, alternatives: verdict.alternatives }] : [],
    );
    const plan = passed.length > 0 ? resolvePlan(passed, options.platform) : undefined;
    if (!plan) continue;
    return {
      plan,
      group: plan.group.flatMap(id =>
        group.filter(entry => entry.buildpack.id === id).map(entry => entry.buildpack),
      ),
    };
  }
  return await nothingFound(verdicts, options.progress);
}

async function runDetect(buildpack: Buildpack, { container, plans }: DetectOptions): Promise<Verdict> {
  const output: string[] = [];
  const lines = createLines(line => output.push(line));
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
  const name = `build plan of ${buildpack.id}`;
  const alternatives = readToml({ file: join(plans, file), name, schema: planSchema });
  return { kind: 'passed', alternatives: alternatives ?? [{ provides: [], requires: [] }], output };
}

/** A detect that erred says why the app was not recognised; one that merely failed has nothing to add. */
async function nothingFound(
  verdicts: ReadonlyMap<Buildpack, Promise<Verdict>>,
  progress: Progress,
): Promise<never> {
  for (const [{ id }, verdict] of verdicts) {
    const { kind, output } = await verdict;
    if (kind !== 'errored') continue;
    for (const line of output) progress.raw(line);
    throw new WherryError('build-failed', `Detection by buildpack ${id} failed; its output is above.`);
  }
  throw new WherryError(
    'build-failed',
    'No buildpack can build this: add a package.json, an index.html or a Procfile to the root of the repository.',
  );
}
