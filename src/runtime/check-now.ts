import { checksOf, paced, usualPace } from '../domain/health-check.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { runProbe } from './check-probe.ts';
import { dynoOf, type Member } from './member.ts';
import type { CheckResult, Desired } from './runtime.ts';
import { probedOf } from './startup.ts';

type Parts = { readonly engine: Engine; readonly clock: Clock; readonly signal: AbortSignal };

/** One attempt of each check of each instance. Those that sleep are not asked: a check wakes nothing. */
export async function checkNow(
  parts: Parts,
  desired: Desired,
  members: readonly Member[],
): Promise<readonly CheckResult[]> {
  const found = await Promise.all(members.map(member => checkOne(parts, desired, member)));
  return found.flat();
}

async function checkOne(parts: Parts, desired: Desired, member: Member): Promise<readonly CheckResult[]> {
  const { clock, signal } = parts;
  const dyno = dynoOf(member);
  const up = member.status === 'running' && !member.frozen;
  // How long it has run is known by the wall alone.
  const since = clock.ticks() - (clock.now().getTime() - member.since.getTime());
  const target = probedOf(parts, { desired, member, since });
  const run = checksOf(desired.image, member.type).map(async ({ probe, name, type, ...check }) => {
    const of = { dyno, name, type };
    if (!up) return { ...of, outcome: 'skipped' as const, why: `it is ${member.status}` };
    const { timeout } = paced({ probe, name, type, ...check }, desired.checks?.().pace ?? usualPace);
    const why = await runProbe(target, probe, { timeout, signal });
    return why === undefined
      ? { ...of, outcome: 'passed' as const }
      : { ...of, outcome: 'failed' as const, why };
  });
  return await Promise.all(run);
}
