import { WherryError } from '../domain/errors.ts';
import type { CommandCheck } from '../domain/image.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';

export type ProbeOptions = {
  readonly engine: Pick<Engine, 'exec'>;
  readonly clock: Clock;
  readonly id: string;
  readonly check: CommandCheck;
  /** When the instance was started, in ticks. */
  readonly since: number;
  readonly signal: AbortSignal;
};

/** Milliseconds between two runs at most: each costs about 50 of a CPU, and an app that is ready is to be used at once. */
const longestPause = 500;

/**
 * Runs an image's own check in its instance until it passes.
 * @throws WherryError check-failed after as many failures as the check allows; the signal's reason when aborted
 */
export async function waitHealthy(options: ProbeOptions): Promise<void> {
  const { check, clock, since, signal } = options;
  const tooMany = countFailures(check);
  for (;;) {
    const failure = await runCheck(options);
    signal.throwIfAborted();
    if (failure === undefined) return;
    const waited = clock.ticks() - since;
    if (tooMany(waited))
      throw new WherryError('check-failed', `not ready within ${Math.round(waited / 1000)} s: ${failure}`);
    await clock.sleep(Math.min(check.interval, longestPause), signal);
  }
}

/** Undefined when it passes, else why not. */
async function runCheck({ engine, id, check, signal }: ProbeOptions): Promise<string | undefined> {
  let said = '';
  const onOutput = (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-1000);
  };
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(check.timeout)]);
  const status = await engine.exec(id, { argv: check.command, onOutput, signal: inTime }).catch(toMessage);
  if (status === 0) return undefined;
  if (inTime.aborted) return `its HEALTHCHECK takes longer than ${check.timeout / 1000} s`;
  if (typeof status === 'string') return status;
  const [words] = said.trim().split('\n').slice(-1);
  return `its HEALTHCHECK ends with status ${status}${words ? `: ${quoteForPeople(words)}` : ''}`;
}

/** The instance may have ended meanwhile, which others see and tell. */
function toMessage(error: unknown): string {
  if (error instanceof WherryError) return error.message;
  throw error;
}

/** Whether a failure after some time is one too many: they count an interval apart, and after the start period. */
function countFailures({ startPeriod, interval, retries }: CommandCheck): (waited: number) => boolean {
  let counted = 0;
  let last = startPeriod;
  return waited => {
    if (waited - last < interval) return false;
    last = waited;
    counted += 1;
    return counted >= retries;
  };
}
