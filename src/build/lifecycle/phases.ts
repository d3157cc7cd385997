import { join } from 'node:path';
import { faultPoint } from '../../system/fault.ts';
import { copyBuildConfig, readBuildConfig } from './build-config.ts';
import { type Outcome, runBuilds } from './build-phase.ts';
import { type Container, type ContainerOptions, openContainer } from './container.ts';
import { detect } from './detect.ts';
import { runtimeChanges } from './export-launcher.ts';
import type { LayersView } from './layer-folders.ts';
import type { BuildRecord } from './record.ts';
import type { Detection } from './resolve.ts';
import { restore } from './restore.ts';
import type { Run } from './run.ts';

/** Asks the order's buildpacks in a sandbox that cannot write to the app, and that is opened for the first that must be asked. */
export async function detectIn(run: Run, source: string): Promise<Detection> {
  const { work, order, request, runtimes } = run;
  let container: Promise<Container> | undefined;
  const open = async () =>
    await openContainer({
      ...(await containerOptions(run)),
      buildpacks: [...new Set(order.flat().map(({ buildpack }) => buildpack))],
      mounts: [
        { source, target: '/workspace', readonly: true },
        { source: work.plans, target: '/cnb/plans', readonly: false },
      ],
    });
  const runInside: Container['run'] = async step => {
    container ??= open();
    return await (await container).run(step);
  };
  try {
    const detection = await detect({
      order,
      stack: await run.stack.generation(request),
      container: { run: runInside },
      source,
      plans: work.plans,
      platform: runtimes.names,
      progress: request.progress,
    });
    await faultPoint('build:detect');
    return detection;
  } finally {
    await (await container?.catch(() => undefined))?.close();
  }
}

type Building = {
  readonly detection: Detection;
  readonly provided: BuildRecord['runtimes'];
  readonly last: BuildRecord | undefined;
  readonly source: string;
};

/** Builds in a sandbox where /workspace and /layers are overlays: what is written over source and restored layers is all that is looked at afterwards. */
export async function buildIn(
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
      { target: '/layers', parts: true, lower: [...folders, ...lowers, work.restored], ...work.layers },
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
    await faultPoint('build:sandbox');
    const env = runtimeChanges(forBuild);
    const outcomes = await runBuilds({
      group,
      plan,
      container,
      view,
      entries: work.entries,
      stackEnv: common.stack.env,
      runtimes: env,
      progress: request.progress,
    });
    await faultPoint('build:layers');
    return { outcomes, view };
  } finally {
    await container.close();
  }
}

async function containerOptions(run: Run): Promise<Omit<ContainerOptions, 'buildpacks' | 'mounts'>> {
  const { engine, operator, request, signal, work } = run;
  const { app, limits, config } = request;
  const stack = await run.stack.generation(request);
  return {
    ...{ engine, operator, app, limits, config, signal, work },
    operatorEnv: readBuildConfig(run.buildConfig),
    operatorFolder: copyBuildConfig(run.buildConfig, join(work.dir, 'build-config')),
    stack,
    image: stack.build,
  };
}
