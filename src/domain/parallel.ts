import { WherryError } from './errors.ts';
import { type ProcessType, quoteForPeople } from './names.ts';
import { largestScale } from './quota.ts';

/** How much of a deploy, or of a scale, starts at once; what starts next waits until those before are ready. */
export type Parallel = {
  /** Instances of one type. */
  readonly instances: (type: ProcessType) => number;
  /** Process types. */
  readonly types: number;
};

export const unlimited = Number.POSITIVE_INFINITY;

/** The name that `scheduler-docker-local:set parallel-schedule-count` stores it under. */
export const typesAtOnceKey = 'parallel-schedule-count';

/** As dokku has it, -1 is as many as there are. @throws invalid */
export function parseAtOnce(name: 'max-parallel' | typeof typesAtOnceKey, text: string): number {
  if (text === '-1') return unlimited;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= largestScale) return count;
  throw new WherryError(
    'invalid',
    `${name} ${quoteForPeople(text)} is not valid. Give how many start at once, 1 to ${largestScale}, or -1 for all.`,
  );
}
