import { join } from 'node:path';
import { builderLabel } from '../domain/builder.ts';
import type { Image } from '../domain/image.ts';
import { faultPoint } from '../system/fault.ts';
import { withAddressed } from './addressed.ts';
import { choose } from './choose.ts';
import { runClassic } from './classic/classic.ts';
import { writeClassicRecord } from './classic/record.ts';
import { buildDockerfile } from './dockerfile/build.ts';
import { hasDockerfile, readDockerfile } from './dockerfile/file.ts';
import { givenOf } from './dockerfile/options.ts';
import { scanDockerfile } from './dockerfile/scan.ts';
import { writeExplanation } from './explain/explanation.ts';
import type { Fetched, Fetcher } from './fetch/fetcher.ts';
import { identified } from './image-id.ts';
import { runLifecycle } from './lifecycle/lifecycle.ts';
import { detectIn } from './lifecycle/phases.ts';
import { withProject } from './lifecycle/project.ts';
import { writeRecord } from './lifecycle/record.ts';
import type { Run } from './lifecycle/run.ts';
import { checkSource, putSource } from './source.ts';

/** What builds an app, decided in one place: whoever asks hears what a push would do. */
type Way =
  | { readonly kind: 'dockerfile' }
  | { readonly kind: 'classic'; readonly buildpacks: readonly Fetched[] }
  | { readonly kind: 'native'; readonly run: Run };

/** Builds by the contract of the buildpacks that were chosen, and remembers what the next build starts from. */
export async function buildImage(run: Run, fetcher: Fetcher): Promise<Image> {
  const { app } = run.request;
  const way = await wayOf(run, fetcher);
  if (way.kind === 'dockerfile') {
    const { image, explanation } = await buildDockerfile(run);
    writeExplanation(run.builds, app, explanation);
    return marked(image);
  }
  if (way.kind === 'classic') {
    const { record, explanation } = await runClassic(run, way.buildpacks);
    writeExplanation(run.builds, app, explanation);
    await faultPoint('build:record');
    writeClassicRecord(run.builds, app, record);
    return record.image;
  }
  const { record, explanation } = await runLifecycle(way.run);
  // First: after a crash in between the next build runs again, and compares with nothing that is too old.
  writeExplanation(run.builds, app, explanation);
  await faultPoint('build:record');
  writeRecord(run.builds, app, record);
  return record.image;
}

/** What a push would be built by, in order: `Dockerfile`, classic buildpacks as they were named, others by id and version. */
export async function detectBuildpacks(run: Run, fetcher: Fetcher): Promise<readonly string[]> {
  const way = await wayOf(run, fetcher);
  if (way.kind === 'dockerfile') {
    scanDockerfile(readDockerfile(run.request), givenOf(run.request));
    return [run.request.dockerfile?.path ?? 'Dockerfile'];
  }
  if (way.kind === 'classic') return way.buildpacks.map(({ source }) => source.text);
  const chosen = await withProject(way.run);
  const { request, work, layers } = chosen;
  checkSource(request.source.dir, request.progress);
  const source = await putSource(request.source, layers, work);
  work.writeConfig(request.config);
  const { group } = await detectIn(chosen, join(layers.layerPath(source), 'workspace'));
  return group.map(({ id, version }) => `${id}@${version}`);
}

/** The builder that was selected; else a Dockerfile, unless somebody named buildpacks. */
async function wayOf(run: Run, fetcher: Fetcher): Promise<Way> {
  const { selected } = run.request;
  if (selected === 'dockerfile') {
    readDockerfile(run.request);
    return { kind: 'dockerfile' };
  }
  const choice = await choose(run, fetcher);
  if (choice.kind === 'classic') return choice;
  const dockerfile = choice.kind === 'detected' && selected === undefined && hasDockerfile(run.request);
  if (dockerfile) return { kind: 'dockerfile' };
  const chosen = choice.kind === 'native' ? { ...run, ...choice } : run;
  return { kind: 'native', run: await withAddressed(chosen, fetcher) };
}

/** Buildpacks leave labels of their own; with this one the others are told from images that nobody built here. */
function marked({ id: _unmarked, ...image }: Image): Image {
  return identified({ ...image, labels: { ...image.labels, [builderLabel]: 'dockerfile' } });
}
