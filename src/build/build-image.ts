import { join } from 'node:path';
import type { Image } from '../domain/image.ts';
import { choose } from './choose.ts';
import { runClassic } from './classic/classic.ts';
import { writeClassicRecord } from './classic/record.ts';
import { buildDockerfile, hasDockerfile } from './dockerfile/build.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { runLifecycle } from './lifecycle/lifecycle.ts';
import { detectIn } from './lifecycle/phases.ts';
import { writeRecord } from './lifecycle/record.ts';
import type { Run } from './lifecycle/run.ts';
import { checkSource, putSource } from './source.ts';

/** Builds by the contract of the buildpacks that were chosen, and remembers what the next build starts from. */
export async function buildImage(run: Run, fetcher: Fetcher): Promise<Image> {
  const { app, selected } = run.request;
  if (selected === 'dockerfile') return await buildDockerfile(run);
  const choice = await choose(run, fetcher);
  if (choice.kind === 'classic') {
    const record = await runClassic(run, choice.buildpacks);
    writeClassicRecord(run.builds, app, record);
    return record.image;
  }
  const asked = selected === undefined && choice.kind === 'detected';
  if (asked && hasDockerfile(run.request.source.dir)) return await buildDockerfile(run);
  const record = await runLifecycle(choice.kind === 'native' ? { ...run, ...choice } : run);
  writeRecord(run.builds, app, record);
  return record.image;
}

/** The buildpacks that would build it, in order: classic ones as they were named, others by id and version. */
export async function detectBuildpacks(run: Run, fetcher: Fetcher): Promise<readonly string[]> {
  const choice = await choose(run, fetcher);
  if (choice.kind === 'classic') return choice.buildpacks.map(({ source }) => source.text);
  const chosen = choice.kind === 'native' ? { ...run, ...choice } : run;
  const { request, work, layers } = chosen;
  checkSource(request.source.dir, request.progress);
  const source = await putSource(request.source, layers, work);
  work.writeConfig(request.config);
  const { group } = await detectIn(chosen, join(layers.layerPath(source), 'workspace'));
  return group.map(({ id, version }) => `${id}@${version}`);
}
