import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Engine } from '../../engine/engine.ts';
import type { Clock } from '../../system/clock.ts';
import type { BuildRequest } from '../builder.ts';
import { checkDisk } from '../disk-watch.ts';
import type { LayerStore } from '../layers/store.ts';
import type { Operator } from '../operator.ts';
import type { Runtimes } from '../runtimes/runtimes.ts';
import { checkSource, putSource } from '../source.ts';
import type { Stack } from '../stack/stack.ts';
import { type Outcome, runBuilds } from './build-phase.ts';
import type { Buildpack } from './buildpack.ts';
import { type ContainerOptions, openContainer } from './container.ts';
import { type Detection, detect } from './detect.ts';
import { assembleImage, putLauncher, runtimeChanges } from './export-image.ts';
import { exportBuildpack, exportWorkspace } from './export-layers.ts';
import { keyedHash, type Snapshot, takeSnapshot } from './inputs.ts';
import type { LayersView } from './layer-folders.ts';
import type { Order } from './order.ts';
import { type BuildRecord, readRecord, schema } from './record.ts';
import { restore } from './restore.ts';
import { type ReuseQuestion, reusableBuild, reusableDetection } from './reuse.ts';
import type { WorkFolder } from './work-folder.ts';

export type LifecycleOptions = {
  readonly engine: Engine;
  readonly layers: LayerStore;
  readonly stack: Stack;
  readonly runtimes: Runtimes;
  readonly operator: Operator;
  readonly clock: Clock;
  readonly buildpacks: ReadonlyMap<string, Buildpack>;
  readonly order: Order;
  /** Folder of the builds' records. */
  readonly builds: string;
  /** For keyed hashes of config values. */
  readonly key: Buffer;
};

export type Run = LifecycleOptions & {
  readonly request: BuildRequest;
  readonly work: WorkFolder;
  readonly signal: AbortSignal;
};

/** One build from source to record: nothing but `bin/detect` and `bin/build` runs in a container, and only if it must. */
export async function runLifecycle(run: Run): Promise<BuildRecord> {
  const { request, work, layers, stack } = run;
  const appJson = checkSource(request.source.dir, request.progress);
  const runImage = await stack.run(run.request);
  const source = await putSource(request.source, layers, work);
  const question = await questionOf(run, source, runImage);
  const reused = reusableBuild(question);
  if (reused) {
    const image = assembleImage({ ...reused, stack: runImage, source, appJson });
    return { ...reused, source, whole: question.whole, image };
  }

  work.writeConfig(request.config);
  const detection = reusableDetection(question, run.buildpacks) ?? (await detectIn(run, question.around.dir));
  const provided = await run.runtimes.provide(detection.plan.platform, request);
  const { outcomes, view } = await buildIn(run, {
    detection,
    provided,
    last: question.last,
    source: question.around.dir,
  });
  await checkDisk(work.dir, request.limits.disk);

  const exporting = { layers, work, view, last: question.last };
  const records = [];
  for (const outcome of outcomes) records.push(await exportBuildpack(exporting, outcome));
  const built = await exportWorkspace(exporting, question.around.dir);
  const launcher = await putLauncher({ layers, work, runtimes: provided, buildpacks: records });
  const image = assembleImage({
    stack: runImage,
    runtimes: provided,
    buildpacks: records,
    source,
    built,
    launcher,
    appJson,
  });
  return {
    schema,
    base: question.base,
    whole: question.whole,
    ...snapshots(run, question, outcomes),
    group: detection.group.map(({ id }) => id),
    plan: detection.plan,
    runtimes: provided,
    buildpacks: records,
    ...(built ? { built } : {}),
    launcher,
    source,
    image,
  };
}

async function questionOf(
  run: Run,
  source: BuildRecord['source'],
  runImage: readonly string[],
): Promise<ReuseQuestion> {
  const { request, layers, key } = run;
  const buildImage = await run.stack.build(request);
  const digests = run.order.flatMap(group => group.map(({ buildpack }) => [buildpack.id, buildpack.digest]));
  const config = Object.entries(request.config).sort();
  return {
    last: readRecord(run.builds, request.app),
    base: createHash('sha256')
      .update(JSON.stringify([schema, runImage, buildImage, digests]))
      .digest('hex'),
    whole: keyedHash(JSON.stringify([source, config]), key),
    source,
    around: { dir: join(layers.layerPath(source), 'workspace'), config: request.config, key },
    layers,
    fresh: request.fresh ?? false,
    progress: request.progress,
  };
}

async function detectIn(run: Run, source: string): Promise<Detection> {
  const { work, order, request, runtimes } = run;
  const container = await openContainer({
    ...(await containerOptions(run)),
    buildpacks: [...new Set(order.flat().map(({ buildpack }) => buildpack))],
    mounts: [
      { source, target: '/workspace', readonly: true },
      { source: work.plans, target: '/cnb/plans', readonly: false },
    ],
  });
  try {
    return await detect({
      order,
      container,
      plans: work.plans,
      platform: runtimes.names,
      progress: request.progress,
    });
  } finally {
    await container.close();
  }
}

type Building = {
  readonly detection: Detection;
  readonly provided: BuildRecord['runtimes'];
  readonly last: BuildRecord | undefined;
  readonly source: string;
};

async function buildIn(
  run: Run,
  building: Building,
): Promise<{ outcomes: readonly Outcome[]; view: LayersView }> {
  const { work, layers, request } = run;
  const { group, plan } = building.detection;
  const forBuild = building.provided.filter(({ build }) => build);
  const { restored, lowers } = restore({ record: building.last, group, layers, into: work.restored });
  const folders = forBuild
    .filter(({ folder }) => folder)
    .map(({ layer }) => join(layers.layerPath(layer), 'layers'));
  const common = await containerOptions(run);
  const container = await openContainer({
    ...common,
    image: [...common.image, ...forBuild.filter(({ folder }) => !folder).map(({ layer }) => layer)],
    buildpacks: group,
    mounts: [
      { target: '/workspace', lower: [building.source], ...work.app },
      { target: '/layers', lower: [...folders, ...lowers, work.restored], ...work.layers },
      { source: work.entries, target: '/cnb/plans', readonly: true },
    ],
  });
  const view: LayersView = {
    upper: work.layers.upper,
    restored: work.restored,
    restoredDir: (id, name) =>
      restored.find(({ buildpack, layer }) => buildpack === id && layer.name === name)?.dir,
  };
  try {
    const env = runtimeChanges(forBuild);
    const outcomes = await runBuilds({
      group,
      plan,
      container,
      view,
      entries: work.entries,
      runtimes: env,
      progress: request.progress,
    });
    return { outcomes, view };
  } finally {
    await container.close();
  }
}

async function containerOptions(run: Run): Promise<Omit<ContainerOptions, 'buildpacks' | 'mounts'>> {
  const { engine, operator, request, signal, work } = run;
  const { app, limits, config } = request;
  return { engine, operator, app, limits, config, signal, work, image: await run.stack.build(request) };
}

/** Only if every buildpack that took part said what it depends on. */
function snapshots(
  run: Run,
  { around }: ReuseQuestion,
  outcomes: readonly Outcome[],
): { detectSnapshot?: Snapshot; buildSnapshot?: Snapshot } {
  const detectInputs = run.order.flat().map(({ buildpack }) => buildpack.detectInputs);
  const buildInputs = outcomes.map(({ inputs }) => inputs);
  const all = <Item>(items: readonly (Item | undefined)[]) => items.filter(item => item !== undefined);
  return {
    ...(all(detectInputs).length === detectInputs.length
      ? { detectSnapshot: takeSnapshot(all(detectInputs), around) }
      : {}),
    ...(all(buildInputs).length === buildInputs.length
      ? { buildSnapshot: takeSnapshot(all(buildInputs), around) }
      : {}),
  };
}
