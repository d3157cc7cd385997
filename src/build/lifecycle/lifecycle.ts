import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { faultPoint } from '../../system/fault.ts';
import { checkDisk } from '../disk-watch.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { LayerFate } from '../explain/layer-fate.ts';
import { beginNative, endNative } from '../explain/native.ts';
import { checkSource, putSource } from '../source.ts';
import type { Generation } from '../stack/generation.ts';
import { readBuildConfig } from './build-config.ts';
import type { Outcome } from './build-phase.ts';
import { assembleImage } from './export-image.ts';
import { putLauncher } from './export-launcher.ts';
import { exportBuildpack, exportWorkspace } from './export-layers.ts';
import { keyedHash, type Snapshot, takeSnapshot } from './inputs.ts';
import { buildIn, detectIn } from './phases.ts';
import { mergeProcesses } from './processes.ts';
import { withProject } from './project.ts';
import { type BuildRecord, readRecord, schema } from './record.ts';
import { type ReuseQuestion, reusableBuild, reusableDetection } from './reuse.ts';
import type { Run } from './run.ts';
import { putLaunchSboms } from './sbom.ts';
import { putApp } from './slices.ts';

/** One build from source to record: nothing but `bin/detect` and `bin/build` runs in a container, and only if it must. */
export async function runLifecycle(
  asked: Run,
): Promise<{ readonly record: BuildRecord; readonly explanation: Explanation }> {
  const run = await withProject(asked);
  const { request, work, layers, stack } = run;
  const appJson = checkSource(request.source.dir, request.progress);
  const base = await stack.generation(run.request);
  const source = await putSource(request.source, layers, work);
  await faultPoint('build:source');
  const question = await questionOf(run, source, base);
  const reused = reusableBuild(question);
  const told = { run, question, generation: base, reused: reused !== undefined };
  const begun = beginNative(told);
  if (reused) {
    const app = await putApp({ ...reused, source, slices: slicesOf(reused), layers, work });
    const image = assembleImage({ ...reused, stack: base, app, appJson });
    if (image.id === reused.image.id)
      request.progress.detail('Nothing changed: the image is the one of the last build');
    const record = { ...reused, source, whole: question.whole, image };
    return { record, explanation: endNative(told, { begun, record, fates: [] }) };
  }

  work.writeConfig(request.config);
  const detection = reusableDetection(question, run.order) ?? (await detectIn(run, question.around.dir));
  const provided = await run.runtimes.provide(detection.plan.platform, request);
  const { outcomes, view } = await buildIn(run, {
    detection,
    provided,
    last: question.last,
    source: question.around.dir,
  });
  await checkDisk(work.dir, request.limits.disk);

  const fates: LayerFate[] = [];
  const onFate = (fate: LayerFate) => void fates.push(fate);
  const exporting = { layers, work, view, last: question.last, onFate };
  const records = [];
  for (const outcome of outcomes) records.push(await exportBuildpack(exporting, outcome));
  await faultPoint('build:export');
  const built = await exportWorkspace(exporting, question.around.dir);
  const launcher = await putLauncher({ layers, work, runtimes: provided, buildpacks: records });
  const sbom = await putLaunchSboms(
    exporting,
    outcomes.map(({ buildpack: { id }, ...outcome }) => ({ id, ...outcome })),
  );
  const app = await putApp({ source, built, slices: slicesOf({ buildpacks: records }), layers, work });
  for (const warning of mergeProcesses(records.map(({ processes }) => processes)).warnings)
    request.progress.warn(warning);
  const parts = { stack: base, runtimes: provided, buildpacks: records, sbom, app, launcher, appJson };
  const image = assembleImage(parts);
  const record: BuildRecord = {
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
    ...(sbom ? { sbom } : {}),
    source,
    image,
  };
  return { record, explanation: endNative(told, { begun, record, fates }) };
}

function slicesOf({ buildpacks }: Pick<BuildRecord, 'buildpacks'>): readonly (readonly string[])[] {
  return buildpacks.flatMap(({ slices }) => slices);
}

async function questionOf(
  run: Run,
  source: BuildRecord['source'],
  { id, distro, env, run: runImage, build: buildImage }: Generation,
): Promise<ReuseQuestion> {
  const { request, layers, key } = run;
  const digests = run.order.flatMap(group => group.map(({ buildpack }) => [buildpack.id, buildpack.digest]));
  const config = Object.entries(request.config).sort();
  const operator = keyedHash(JSON.stringify(readBuildConfig(run.buildConfig)), key);
  return {
    last: readRecord(run.builds, request.app),
    base: createHash('sha256')
      .update(
        JSON.stringify([
          schema,
          id,
          distro,
          Object.entries(env).sort(),
          runImage,
          buildImage,
          digests,
          operator,
        ]),
      )
      .digest('hex'),
    whole: keyedHash(JSON.stringify([source, config]), key),
    source,
    around: { dir: join(layers.layerPath(source), 'workspace'), config: request.config, key },
    layers,
    fresh: request.fresh ?? false,
    progress: request.progress,
  };
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
