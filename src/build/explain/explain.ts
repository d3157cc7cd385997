import type { Run } from '../lifecycle/run.ts';
import { type Cause, type Explanation, explanationSchema, readExplanation } from './explanation.ts';
import { compareParts, type Part } from './part.ts';
import { becauseOf } from './words.ts';

export type Begun = Pick<Explanation, 'cause' | 'changes'>;

/** Compares with the last build that succeeded, and says what came out to whoever asked. */
export function beginExplanation(
  { builds, request }: Pick<Run, 'builds' | 'request'>,
  found: {
    readonly builder: Explanation['builder'];
    readonly parts: readonly Part[];
    /** Whether anything is kept of a build before, by the same contract. */
    readonly known: boolean;
    readonly reused: boolean;
    /** Whether layers of it are gone. */
    readonly lost: boolean;
  },
): Begun {
  const last = readExplanation(builds, request.app);
  const same = found.known && last?.builder === found.builder ? last : undefined;
  const changes = same
    ? compareParts(
        same.parts.filter(({ kind }) => kind !== 'runtime'),
        found.parts,
      )
    : [];
  const decisive = changes.some(({ counts }) => counts);
  const cause = causeOf({ ...found, fresh: request.fresh ?? false, decisive });
  const begun = { cause, changes };
  if (request.explain) request.progress.step(becauseOf(begun));
  return begun;
}

/** The whole of it, when the build is done. */
export function endExplanation(
  { request, clock }: Pick<Run, 'request' | 'clock'>,
  begun: Begun & Pick<Explanation, 'builder' | 'parts' | 'layers'>,
): Explanation {
  return {
    schema: explanationSchema,
    commit: request.source.commit,
    at: clock.now().toISOString(),
    ...begun,
  };
}

function causeOf(found: {
  readonly known: boolean;
  readonly reused: boolean;
  readonly lost: boolean;
  readonly fresh: boolean;
  readonly decisive: boolean;
}): Cause {
  if (found.reused) return 'unchanged';
  if (found.fresh) return 'asked';
  if (!found.known) return 'first';
  if (found.decisive) return 'changed';
  return found.lost ? 'lost' : 'unknown';
}
