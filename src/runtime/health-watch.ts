import { checksOf, type HealthCheck, paced, usualPace } from '../domain/health-check.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { runProbe } from './check-probe.ts';
import type { Member } from './member.ts';
import type { Desired } from './runtime.ts';
import { onFailure, probedOf } from './startup.ts';

export type HealthWatch = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly desired: Desired;
  readonly member: Member;
  readonly signal: AbortSignal;
  /** Told after each look of a readiness check whether it passes. */
  readonly ready: (ready: boolean, why: string | undefined) => Promise<void>;
  /** Told of checks that fail and stop nothing. */
  readonly warn: (text: string) => void;
};

/** Milliseconds between two looks at least. */
const leastWait = 1000;

/** The checks that an instance is watched by while it runs. */
export function watchedChecks(desired: Desired, type: string): readonly HealthCheck[] {
  if (desired.checks?.().disabled?.(type)) return [];
  return checksOf(desired.image, type).filter(check => check.type !== 'startup');
}

/**
 * Watches an instance that runs by its readiness and liveness checks; while it sleeps it is left alone.
 * Resolves when a liveness check has failed once too often, with why. @throws the signal's reason when aborted
 */
export async function untilUnhealthy(watch: HealthWatch): Promise<string> {
  const { desired, member } = watch;
  return await Promise.race(watchedChecks(desired, member.type).map(check => untilFails(watch, check)));
}

async function untilFails(watch: HealthWatch, check: HealthCheck): Promise<string> {
  const { clock, desired, member, signal } = watch;
  const target = probedOf(watch, { desired, member, since: clock.ticks() });
  const pace = () => paced(check, desired.checks?.().pace ?? usualPace);
  await clock.sleep(check.initialDelay ?? 0, signal);
  for (let failures = 0; ; ) {
    await clock.sleep(Math.max(pace().wait, leastWait), signal);
    const { since } = member;
    const { timeout, attempts } = pace();
    if (isUp(member)) {
      const why = await runProbe(target, check.probe, { timeout, signal }).catch(
        error => `could not be asked (${String(error)})`,
      );
      signal.throwIfAborted();
      // Frozen or woken meanwhile, it had no chance to answer.
      if (!isUp(member) || member.since !== since) failures = 0;
      else {
        failures = why === undefined ? 0 : failures + 1;
        const failed = failures >= attempts;
        if (check.type === 'readiness' && !check.warn) await watch.ready(!failed, why);
        if (failures === attempts) {
          await onFailure(target, check, { timeout, signal });
          if (check.warn) watch.warn(`${check.type} check "${check.name}" fails: ${why}. It stops nothing.`);
        }
        if (failed && check.type === 'liveness' && !check.warn)
          return `failed its liveness check "${check.name}" ${failures} times: ${why}`;
      }
    } else failures = 0;
  }
}

function isUp({ status, frozen }: Member): boolean {
  return status === 'running' && !frozen;
}
