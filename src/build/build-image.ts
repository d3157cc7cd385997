import type { Image } from '../domain/image.ts';
import { choose } from './choose.ts';
import { runClassic } from './classic/classic.ts';
import { writeClassicRecord } from './classic/record.ts';
import type { Fetcher } from './fetch/fetcher.ts';
import { runLifecycle } from './lifecycle/lifecycle.ts';
import { writeRecord } from './lifecycle/record.ts';
import type { Run } from './lifecycle/run.ts';

/** Builds by the contract of the buildpacks that were chosen, and remembers what the next build starts from. */
export async function buildImage(run: Run, fetcher: Fetcher): Promise<Image> {
  const { app } = run.request;
  const choice = await choose(run, fetcher);
  if (choice.kind === 'classic') {
    const record = await runClassic(run, choice.buildpacks);
    writeClassicRecord(run.builds, app, record);
    return record.image;
  }
  const record = await runLifecycle(choice.kind === 'native' ? { ...run, ...choice } : run);
  writeRecord(run.builds, app, record);
  return record.image;
}
