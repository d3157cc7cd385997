import { chmodSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import { readToml } from '../toml.ts';
import { askAhead } from './ask.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import type { BuiltOn, Container } from './container.ts';
import type { Order } from './order.ts';
import { createLines } from './output.ts';
import { planSchema } from './plan.ts';
import { candidates, type Detection, planTrouble, resolveGroup, type Verdict } from './resolve.ts';
import { baseOf, describeBase, fitsBase } from './targets.ts';

export type DetectOptions = {
  readonly order: Order;
  readonly stack: Pick<BuiltOn, 'distro' | 'env'>;
  readonly container: Pick<Container, 'run'>;
  /** Host folder of the app. */
  readonly source: string;
  /** Host folder of the plan files, /cnb/plans inside. */
  readonly plans: string;
  /** Names that the platform provides. */
  readonly platform: ReadonlySet<string>;
  readonly progress: Progress;
};

/** Lines that are kept of what one detect prints. */
const mostLines = 2000;
/** Characters of them in all. */
const mostText = 256 * 1024;

/** Detects that run at the same time; more of them only wait for each other's processes. */
const atOnce = 4;

/**
 * The first group of the order that passes and whose plan works out. Each buildpack is asked once, those of later groups while
 * earlier ones are still thinking. What an erring detect printed is always shown, that of the others only if no group passes.
 * @throws build-failed when none does
 */
export async function detect(options: DetectOptions): Promise<Detection> {
  const { order, platform, progress } = options;
  const base = baseOf(options.stack);
  const asking = askAhead(
    order.flatMap(group => candidates(group, base)),
    async (buildpack, signal) => await runDetect(buildpack, options, signal),
    atOnce,
  );
  const verdicts = new Map<Buildpack, Verdict>();
  try {
    for (const group of order) {
      for (const buildpack of candidates(group, base)) {
        const verdict = await asking.answer(buildpack);
        if (verdict) verdicts.set(buildpack, verdict);
      }
      const found = resolveGroup(group, verdicts, platform, base);
      if (!found) continue;
      show(verdicts, progress, 'errored');
      return found;
    }
  } finally {
    await asking.stop();
  }
  return nothingFound(options, verdicts);
}

async function runDetect(
  buildpack: Buildpack,
  { container, plans, source, stack }: DetectOptions,
  signal: AbortSignal,
): Promise<Verdict> {
  if (!hasWhatItNeeds(buildpack, source)) return { kind: 'failed', output: [] };
  const output: string[] = [];
  let [text, leftOut] = [0, 0];
  const lines = createLines(line => {
    text += line.length;
    if (output.length < mostLines && text <= mostText) output.push(line);
    else leftOut += 1;
  });
  const file = `${escapedId(buildpack.id)}.toml`;
  makePlan(join(plans, file));
  const code = await container.run({
    buildpack,
    program: 'detect',
    args: ['/platform', `/cnb/plans/${file}`],
    base: stack.env,
    cnb: { CNB_BUILD_PLAN_PATH: `/cnb/plans/${file}` },
    onOutput: lines.write,
    signal,
  });
  lines.end();
  if (leftOut > 0) output.push(`(${leftOut} more lines were left out)`);
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

/** A plan is there from the start, empty, for programs that open what they expect to be there. Any user inside may write it. */
function makePlan(file: string): void {
  writeFileSync(file, '');
  chmodSync(file, 0o666);
}

/** Its own promise spares the detect of an app that has nothing for it. */
function hasWhatItNeeds({ detectNeeds }: Buildpack, source: string): boolean {
  return detectNeeds?.some(name => lstatSync(join(source, name), { throwIfNoEntry: false })) ?? true;
}

type Verdicts = ReadonlyMap<Buildpack, Verdict>;

function show(verdicts: Verdicts, progress: Progress, only?: Verdict['kind']): void {
  for (const [{ id }, { kind, output }] of verdicts) {
    if (output.length === 0 || (only !== undefined && kind !== only)) continue;
    progress.detail(`Detection by ${id} (${kind}):`);
    for (const line of output) progress.raw(line);
  }
}

/** A detect that erred says why the app was not recognised; one that merely failed has nothing to add. */
function nothingFound({ order, platform, progress, stack }: DetectOptions, verdicts: Verdicts): never {
  show(verdicts, progress);
  for (const [{ id }, { kind }] of verdicts) {
    if (kind === 'errored')
      throw new WherryError('build-failed', `Detection by buildpack ${id} failed; its output is above.`);
  }
  const base = baseOf(stack);
  for (const group of order) {
    const trouble = planTrouble(group, verdicts, platform, base);
    if (trouble !== undefined) throw new WherryError('build-failed', trouble);
  }
  const misfit = order.flat().find(({ buildpack }) => !fitsBase(buildpack.targets, base));
  if (misfit)
    throw new WherryError(
      'build-failed',
      `Buildpack ${misfit.buildpack.id} is not for ${describeBase(base)}. Use one that is.`,
    );
  throw new WherryError(
    'build-failed',
    'No buildpack can build this: add what its language is known by (as package.json, requirements.txt, go.mod), an index.html, or a Procfile to the root of the repository.',
  );
}
