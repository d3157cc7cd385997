import type { Image } from '../../domain/image.ts';
import type { Run } from '../lifecycle/run.ts';
import { beginExplanation, endExplanation } from './explain.ts';
import { type Explanation, readExplanation } from './explanation.ts';
import type { Part } from './part.ts';

/** Of a build of a Dockerfile: which of its steps ran is in the output. */
export function explainDockerfile(
  run: Run,
  told: { readonly parts: readonly Part[]; readonly last: Image | undefined; readonly reused: boolean },
): Explanation {
  const { parts, last, reused } = told;
  const known = readExplanation(run.builds, run.request.app)?.builder === 'dockerfile';
  const lost = last !== undefined && !reused;
  const begun = beginExplanation(run, { builder: 'dockerfile', parts, known, reused, lost });
  return endExplanation(run, { builder: 'dockerfile', parts, layers: [], ...begun });
}
