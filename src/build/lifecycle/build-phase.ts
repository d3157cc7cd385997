import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';
import type { Progress } from '../../domain/push.ts';
import { readToml } from '../toml.ts';
import { type Buildpack, escapedId } from './buildpack.ts';
import type { Container } from './container.ts';
import { applyChange, type Env, type EnvChange, pathChanges, readEnvFolder } from './environment.ts';
import { type Inputs, inputsSchema } from './inputs.ts';
import { type Launch, readLaunch } from './launch.ts';
import { findFile, type LayersView, type LayerToml, layerDirs, readLayerTomls } from './layer-folders.ts';
import { createLines } from './output.ts';
import type { Plan, PlanEntry } from './plan.ts';
import { readSboms, type Sbom } from './sbom.ts';

export type BuildPhase = {
  readonly group: readonly Buildpack[];
  readonly plan: Plan;
  readonly container: Pick<Container, 'run' | 'setAside'>;
  readonly view: LayersView;
  /** Host folder of the buildpacks' plan files, /cnb/plans inside. */
  readonly entries: string;
  /** Environment that the stack gives every process. */
  readonly stackEnv: Env;
  /** What the platform's runtimes do to the build's environment. */
  readonly runtimes: readonly EnvChange[];
  readonly progress: Progress;
};

/** What one buildpack's build said. */
export type Outcome = {
  readonly buildpack: Buildpack;
  readonly layers: readonly LayerToml[];
  readonly launch: Launch;
  readonly sboms: readonly Sbom[];
  readonly store?: Readonly<Record<string, unknown>>;
  readonly inputs?: Inputs;
};

/** Exit status of a program that a SIGKILL ended. */
const killed = 137;

const unmetSchema = z.looseObject({ unmet: z.array(z.looseObject({ name: z.string() })).default([]) });
const failureSchema = z.looseObject({ message: z.string().max(2000) });
const storeSchema = z.looseObject({ metadata: z.record(z.string(), z.unknown()).default({}) });

/** Runs the group's builds in order; each sees the build layers of those before it. @throws build-failed at the first that fails */
export async function runBuilds(phase: BuildPhase): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let env: Env = phase.runtimes.reduce(applyChange, phase.stackEnv);
  let open: readonly PlanEntry[] = phase.plan.entries;
  for (const buildpack of phase.group) {
    const mine = open.filter(({ providers }) => providers.includes(buildpack.id));
    await runBuild(phase, buildpack, mine, env);
    const unmet = readUnmet(phase.view, buildpack, mine);
    open = open.filter(entry => !mine.includes(entry) || unmet.has(entry.name));
    const outcome = readOutcome(phase.view, buildpack);
    for (const warning of outcome.launch.warnings) phase.progress.warn(warning);
    await setAsideUnused(phase, outcome);
    outcomes.push(outcome);
    env = buildChanges(phase.view, outcome).reduce(applyChange, env);
  }
  return outcomes;
}

async function runBuild(
  phase: BuildPhase,
  buildpack: Buildpack,
  mine: readonly PlanEntry[],
  base: Env,
): Promise<void> {
  const name = escapedId(buildpack.id);
  const entries = mine.flatMap(entry => entry.requires);
  writeFileSync(join(phase.entries, `${name}.toml`), stringify({ entries }));
  const [layers, plan] = [`/layers/${name}`, `/cnb/plans/${name}.toml`];
  const lines = createLines(phase.progress.raw);
  const code = await phase.container.run({
    buildpack,
    program: 'build',
    args: [layers, '/platform', plan],
    part: layers,
    base,
    cnb: { CNB_LAYERS_DIR: layers, CNB_BP_PLAN_PATH: plan },
    onOutput: lines.write,
  });
  lines.end();
  if (code !== 0) throw failureOf(phase.view, buildpack, code);
}

/** A buildpack may leave a sentence for the person in `failure.toml` (beyond the CNB spec). */
function failureOf(view: LayersView, { id, extended }: Buildpack, code: number): WherryError {
  const file = (extended && findFile(view, id, 'failure.toml')) || '';
  const said = readToml({ file, name: `failure.toml of ${id}`, schema: failureSchema });
  const how = code === killed ? 'was killed, at no limit of Wherry' : `ended with exit status ${code}`;
  const message =
    said?.message.replace(/[^\x20-\x7e]+/g, ' ') ??
    `The build failed: buildpack ${id} ${how}. Its output is above.`;
  return new WherryError('build-failed', message);
}

function readUnmet(view: LayersView, { id }: Buildpack, mine: readonly PlanEntry[]): ReadonlySet<string> {
  const toml = readToml({
    file: findFile(view, id, 'build.toml') ?? '',
    name: `build.toml of ${id}`,
    schema: unmetSchema,
  });
  const names = (toml?.unmet ?? []).map(({ name }) => name);
  const stranger = names.find(name => !mine.some(entry => entry.name === name));
  if (stranger !== undefined) {
    throw new WherryError(
      'build-failed',
      `build.toml of ${id} names ${JSON.stringify(stranger)}, which is not in its plan. Take it out there, or provide it in bin/detect.`,
    );
  }
  return new Set(names);
}

function readOutcome(view: LayersView, buildpack: Buildpack): Outcome {
  const { id, extended } = buildpack;
  const file = (name: string) => findFile(view, id, name) ?? '';
  const store = readToml({ file: file('store.toml'), name: `store.toml of ${id}`, schema: storeSchema });
  const promise = extended ? file('inputs.toml') : '';
  const inputs = readToml({ file: promise, name: `inputs.toml of ${id}`, schema: inputsSchema });
  return {
    buildpack,
    layers: readLayerTomls(view, buildpack),
    launch: readLaunch(file('launch.toml'), buildpack, '/workspace'),
    sboms: readSboms(view, buildpack),
    ...(store ? { store: store.metadata } : {}),
    ...(inputs ? { inputs } : {}),
  };
}

/** Layers that are for nothing are no layers: those after it find them under another name, as with the reference. */
async function setAsideUnused(
  { container, view }: BuildPhase,
  { buildpack, layers }: Outcome,
): Promise<void> {
  for (const { name, flags } of layers) {
    const unused = !flags.build && !flags.launch && !flags.cache;
    if (!unused || layerDirs(view, buildpack.id, name).length === 0) continue;
    const part = `/layers/${escapedId(buildpack.id)}`;
    if ((await container.setAside(part, name)) !== 0)
      throw new WherryError(
        'build-failed',
        `Layer ${name} of ${buildpack.id} is for nothing, and ${name}.ignore is in its way. Remove one of them.`,
      );
  }
}

/** What a buildpack's build layers add to the environment of those after it: all of their folders, then their files. */
function buildChanges(view: LayersView, { buildpack, layers }: Outcome): readonly EnvChange[] {
  const forBuild = layers
    .filter(({ flags }) => flags.build)
    .map(({ name }) => ({
      inside: `/layers/${escapedId(buildpack.id)}/${name}`,
      dirs: layerDirs(view, buildpack.id, name),
    }));
  return [
    ...forBuild.flatMap(({ inside, dirs }) => pathChanges('build', dirs, inside)),
    ...forBuild.flatMap(({ inside, dirs }) =>
      ['env', 'env.build'].flatMap(folder => readEnvFolder(dirs, folder, { inside })),
    ),
  ];
}
