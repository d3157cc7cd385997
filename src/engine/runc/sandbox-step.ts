import { LimitReached } from '../../domain/build-limits.ts';
import { WherryError } from '../../domain/errors.ts';
import type { SandboxSpec, SandboxStep } from '../engine.ts';
import { nestedCapabilities, ociProcess, packageCapabilities } from './bundle.ts';
import type { Driver } from './driver.ts';
import { isEnding, kill, livesIn, until } from './processes.ts';
import { outputOnly, runInside } from './run-inside.ts';
import type { OpenSandbox } from './sandbox.ts';
import { openPart } from './sandbox-part.ts';

/** Milliseconds. */
const freezeTimeout = 1000;
const killTimeout = 10_000;

/** Runs one step to its end, inside its limits of time, silence, memory and processes; leaves no process of it behind. */
export async function runStep(driver: Driver, open: OpenSandbox, step: SandboxStep): Promise<number> {
  await open.cleaning;
  const closePart = step.part === undefined ? undefined : await openPart(open, step.part);
  try {
    return await runWatched(driver, open, step);
  } finally {
    // The last of those that ran side by side cleans up after all of them.
    if (open.alive.size === 0) await killAll(driver, open);
    await closePart?.();
  }
}

async function runWatched(driver: Driver, open: OpenSandbox, step: SandboxStep): Promise<number> {
  const before = countersOf(driver, open);
  const killSoon = () => {
    killAll(driver, open).catch((error: unknown) => driver.log.warn({ err: error }, 'a step was not killed'));
  };
  const explain = (late: WherryError) => (isStuck(driver, open, before) ? tooManyOf(open) : late);
  const watch = watchStep(step, { explain, kill: killSoon });
  const me = Symbol('step');
  open.alive.add(me);
  try {
    const code = await runInside({
      id: open.spec.id,
      folder: open.folder,
      runtime: [driver.host.runc, `--root=${driver.folders.state}`],
      process: stepProcess(open.spec, step),
      ...outputOnly(chunk => {
        watch.heard();
        step.onOutput(chunk);
      }),
      signal: watch.signal,
      endLeftovers: () => {
        open.alive.delete(me);
        if (open.alive.size === 0) killSoon();
      },
    });
    watch.throwIfStopped();
    if (code !== 0) throwCause(driver, open, before);
    return code;
  } finally {
    open.alive.delete(me);
    watch.end();
  }
}

type Counters = { readonly kills: number; readonly refused: number };

function countersOf({ cgroups }: Driver, { cgroup }: OpenSandbox): Counters {
  return { kills: cgroups.kills(cgroup).kills, refused: cgroups.pids(cgroup).refused };
}

/** Why a program failed, where it was none of its doing. */
function throwCause(driver: Driver, open: OpenSandbox, before: Counters): void {
  const { limits } = open.spec;
  const { kills, refused } = countersOf(driver, open);
  if (kills > before.kills) throw new LimitReached({ property: 'memory', limit: limits.memory });
  if (refused > before.refused) throw tooManyOf(open);
  if (livesIn(open.pausePid, open.cgroup) && !isEnding(open.pausePid)) return;
  throw new WherryError(
    'build-failed',
    "The build's container was killed from outside, at none of its limits. Build again.",
  );
}

function tooManyOf({ spec }: OpenSandbox): LimitReached {
  return new LimitReached({ property: 'processes', limit: spec.limits.pids });
}

/** Whether it was refused processes and still has most of those it may have: a fork bomb, or all of them waiting for one more. */
function isStuck({ cgroups }: Driver, { cgroup, spec }: OpenSandbox, before: Counters): boolean {
  const { current, refused } = cgroups.pids(cgroup);
  return refused > before.refused && current * 2 > spec.limits.pids;
}

function stepProcess({ nested }: SandboxSpec, step: SandboxStep) {
  const isRoot = step.user === 'root';
  const ofRoot = nested ? nestedCapabilities : packageCapabilities;
  return ociProcess({
    argv: step.argv,
    env: step.env,
    workingDir: step.cwd,
    user: step.user === 'root' ? { uid: 0, gid: 0 } : step.user,
    capabilities: isRoot ? ofRoot : [],
  });
}

type StepEnd = {
  /** What a step that took too long really met. */
  readonly explain: (late: WherryError) => WherryError;
  readonly kill: () => void;
};

/** Watches the clock, the output and the caller's signal; the first to object kills the step and is remembered. */
function watchStep(step: SandboxStep, { explain, kill }: StepEnd) {
  const controller = new AbortController();
  let verdict: WherryError | undefined;
  const stop = (error: WherryError) => {
    verdict ??= error;
    controller.abort(verdict);
    kill();
  };
  const tooLate = (property: 'timeout' | 'silence', limit: number) =>
    stop(explain(new LimitReached({ property, limit })));
  const onAbort = () => {
    const reason: unknown = step.signal?.reason;
    const cancelled = new WherryError('interrupted', 'The build was cancelled.');
    stop(isLate(reason) ? explain(cancelled) : cancelled);
  };
  const timer = setTimeout(() => tooLate('timeout', step.timeout), step.timeout);
  const { silence } = step;
  const startSilence = () =>
    silence === undefined ? undefined : setTimeout(() => tooLate('silence', silence), silence);
  let quiet = startSilence();
  if (step.signal?.aborted) onAbort();
  step.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    heard() {
      clearTimeout(quiet);
      quiet = startSilence();
    },
    throwIfStopped() {
      if (verdict) throw verdict;
    },
    end() {
      clearTimeout(timer);
      clearTimeout(quiet);
      step.signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** Whether the caller stopped it for all the time that its steps took together. */
function isLate(reason: unknown): boolean {
  return reason instanceof LimitReached && reason.breach.property === 'timeout';
}

/**
 * Kills everything in the sandbox but its first process, which holds it open. Frozen first: what multiplies faster than it is
 * killed would get away.
 */
function killAll(driver: Driver, open: OpenSandbox): Promise<void> {
  open.cleaning ??= killLeft(driver, open).finally(() => {
    open.cleaning = undefined;
  });
  return open.cleaning;
}

async function killLeft({ cgroups, clock }: Driver, { cgroup, pausePid }: OpenSandbox): Promise<void> {
  const left = () => cgroups.processes(cgroup).filter(pid => pid !== pausePid);
  if (!cgroups.exists(cgroup) || left().length === 0) return;
  cgroups.freeze(cgroup, true);
  await until(clock, freezeTimeout, () => cgroups.frozen(cgroup));
  for (const pid of left()) kill(pid, 'SIGKILL');
  cgroups.freeze(cgroup, false);
  await until(clock, killTimeout, () => {
    for (const pid of left()) kill(pid, 'SIGKILL');
    return left().length === 0;
  });
}
