import { WherryError } from '../domain/errors.ts';
import type { CommandCheck } from '../domain/image.ts';
import type { Clock } from '../system/clock.ts';

export type PassOptions = {
  readonly clock: Clock;
  /** Undefined when it passes, else why not. */
  readonly attempt: () => Promise<string | undefined>;
  /** How failures are counted. */
  readonly count: Omit<CommandCheck, 'command' | 'timeout'>;
  /** Milliseconds between two attempts, by those since the first. */
  readonly pause: (waited: number) => number;
  /** When the instance was started, in ticks. */
  readonly since: number;
  readonly signal: AbortSignal;
};

/** Milliseconds between two runs of a program at most: each costs about 50 of a CPU, and an app that is ready is to be used at once. */
const longestPause = 500;

export function programPause({ interval }: Pick<CommandCheck, 'interval'>): () => number {
  return () => Math.min(interval, longestPause);
}

/**
 * Tries a check until it passes.
 * @throws WherryError check-failed after as many failures as it allows; the signal's reason when aborted
 */
export async function untilPasses(options: PassOptions): Promise<void> {
  const { attempt, clock, count, pause, since, signal } = options;
  const begun = clock.ticks();
  const tooMany = countFailures(count);
  for (;;) {
    const failure = await attempt();
    signal.throwIfAborted();
    if (failure === undefined) return;
    const waited = clock.ticks() - since;
    if (tooMany(waited))
      throw new WherryError('check-failed', `not ready within ${Math.round(waited / 1000)} s: ${failure}`);
    await clock.sleep(pause(clock.ticks() - begun), signal);
  }
}

/** Whether a failure after some time is one too many: they count an interval apart, and after the start period. */
function countFailures({
  startPeriod,
  interval,
  retries,
}: PassOptions['count']): (waited: number) => boolean {
  let counted = 0;
  let last = startPeriod;
  return waited => {
    if (waited - last < interval) return false;
    last = waited;
    counted += 1;
    return counted >= retries;
  };
}
