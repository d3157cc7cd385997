import type { ClassicRecord } from '../classic/record.ts';
import type { Run } from '../lifecycle/run.ts';
import { type Begun, beginExplanation, endExplanation } from './explain.ts';
import type { Explanation } from './explanation.ts';
import { fatesByContent } from './layer-fate.ts';
import type { Part } from './part.ts';

type Told = { readonly parts: readonly Part[]; readonly last: ClassicRecord | undefined };

/** Of a build by classic buildpacks, before anything of it runs. */
export function beginClassic(run: Run, { parts, last, reused }: Told & { readonly reused: boolean }): Begun {
  const lost = last !== undefined && !last.image.layers.every(id => run.layers.has(id));
  return beginExplanation(run, { builder: 'classic', parts, known: last !== undefined, reused, lost });
}

export function endClassic(
  run: Run,
  { parts, last, begun, record }: Told & { readonly begun: Begun; readonly record: ClassicRecord },
): Explanation {
  const cacheOf = ({ cache }: ClassicRecord) => (cache ? [{ layer: 'cache', id: cache }] : []);
  const layers = fatesByContent(last ? cacheOf(last) : [], cacheOf(record));
  return endExplanation(run, { builder: 'classic', parts, layers, ...begun });
}
