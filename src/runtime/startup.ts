import { WherryError } from '../domain/errors.ts';
import { checksOf, countedAs, type HealthCheck, usualPace } from '../domain/health-check.ts';
import { launchedBy } from '../domain/image.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { type Probed, runCommand, runProbe } from './check-probe.ts';
import type { Member } from './member.ts';
import { programPause, untilPasses } from './probe.ts';
import { pause } from './ready.ts';
import type { Desired } from './runtime.ts';

type Parts = { readonly engine: Engine; readonly clock: Clock };
type Starting = {
  readonly desired: Desired;
  readonly member: Member;
  /** In ticks. */
  readonly since: number;
  readonly signal: AbortSignal;
  /** Told of checks that fail and stop nothing. */
  readonly warn?: ((text: string) => void) | undefined;
  /** It ran before, and is not to be proven: how long it stays up is of no matter to whoever waits for it. */
  readonly again?: true | undefined;
};

/** The instance as a check sees it. */
export function probedOf(
  { engine, clock }: Parts,
  { desired, member, since }: Pick<Starting, 'desired' | 'member' | 'since'>,
): Probed {
  const { address, port, id } = member;
  return {
    engine,
    clock,
    id,
    address,
    port,
    since,
    ...desired.site?.(),
    launcher: launchedBy(desired.image),
  };
}

/** What an instance must pass before it is used: liveness is of what runs. */
export function startupChecks(
  { image, checks }: Pick<Desired, 'image' | 'checks'>,
  type: string,
): readonly HealthCheck[] {
  if (checks?.().disabled?.(type)) return [];
  return checksOf(image, type).filter(check => check.type !== 'liveness');
}

/** Runs the startup checks of a process type side by side, until all have passed. @throws check-failed with the first that does not */
export async function passStartupChecks(parts: Parts, starting: Starting): Promise<void> {
  const { desired, member } = starting;
  const failed = new AbortController();
  const signal = AbortSignal.any([starting.signal, failed.signal]);
  const checks = startupChecks(desired, member.type).map(check =>
    passOne(parts, { ...starting, signal }, check),
  );
  try {
    await Promise.all([...checks, passProgram(parts, { ...starting, signal })]);
  } finally {
    failed.abort(new Error('settled'));
    await Promise.allSettled(checks);
  }
}

async function passOne(parts: Parts, starting: Starting, check: HealthCheck): Promise<void> {
  const { clock } = parts;
  const { desired, signal, warn, again } = starting;
  const target = probedOf(parts, starting);
  if (check.probe.kind === 'uptime') return again ? undefined : await clock.sleep(check.probe.uptime, signal);
  const count = countedAs(check, desired.checks?.().pace ?? usualPace);
  try {
    await untilPasses({
      ...{ clock, count, signal, since: clock.ticks() },
      pause: check.probe.kind === 'command' ? programPause(count) : pause,
      attempt: async () => await runProbe(target, check.probe, { timeout: count.timeout, signal }),
    });
  } catch (error) {
    signal.throwIfAborted();
    await onFailure(target, check, { timeout: count.timeout, signal });
    if (!check.warn || !(error instanceof WherryError)) throw error;
    warn?.(`Check "${check.name}" fails: ${error.message}. It stops nothing.`);
  }
}

/** What the app wants to do of itself about it; how that ends changes nothing. */
export async function onFailure(
  target: Probed,
  check: HealthCheck,
  attempt: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<void> {
  if (!check.onFailure) return;
  await runCommand(target, [...target.launcher, ...check.onFailure], { ...attempt, what: 'onFailure' });
}

/** An image's own HEALTHCHECK. */
async function passProgram({ engine, clock }: Parts, starting: Starting): Promise<void> {
  const { desired, member, since, signal } = starting;
  const { healthcheck } = desired.image;
  if (member.type !== 'web' || !healthcheck || !('command' in healthcheck)) return;
  const { command, timeout } = healthcheck;
  await untilPasses({
    ...{ clock, since, signal, count: healthcheck },
    pause: programPause(healthcheck),
    attempt: async () =>
      await runCommand({ engine, id: member.id }, command, { what: 'its HEALTHCHECK', timeout, signal }),
  });
}
