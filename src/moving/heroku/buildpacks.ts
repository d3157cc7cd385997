import { parseBuildpackSource } from '../../domain/buildpack-source.ts';
import { sift } from '../sift.ts';
import type { HerokuApp } from './cli.ts';

/** Buildpacks that were set, in their order; all of them or, when one has no meaning here, none. */
export async function moveBuildpacks(app: HerokuApp): Promise<void> {
  const named = await app.read(['buildpacks'], readBuildpacks);
  const known = sift(named, app.left, parseBuildpackSource);
  if (known.length > 0 && known.length === named.length)
    app.step('buildpacks:set', '--replace', app.name, ...known);
}

/** Lines below a header, numbered where there are several; a sentence where there are none. */
function readBuildpacks(out: string): readonly string[] {
  return out
    .split('\n')
    .map(line => line.trim().replace(/^\d{1,2}\.\s+/, ''))
    .filter(line => line !== '' && !line.startsWith('===') && !/has no Buildpack/i.test(line));
}
