import { formatBytes } from '../../domain/bytes.ts';
import { WherryError } from '../../domain/errors.ts';
import type { SandboxSpec, SandboxStep } from '../engine.ts';
import { nestedCapabilities, ociProcess, packageCapabilities } from './bundle.ts';
import type { Driver } from './driver.ts';
import { kill } from './processes.ts';
import { runInside } from './run-inside.ts';
import type { OpenSandbox } from './sandbox.ts';

/** Runs one step to its end, inside its limits of time, silence and memory. */
export async function runStep(driver: Driver, open: OpenSandbox, step: SandboxStep): Promise<number> {
  const killsBefore = driver.cgroups.kills(open.cgroup).kills;
  const watch = watchStep(step, () => killStep(driver, open));
  const me = Symbol('step');
  open.alive.add(me);
  try {
    const code = await runInside({
      driver,
      id: open.spec.id,
      folder: open.folder,
      process: stepProcess(open.spec, step),
      onOutput: chunk => {
        watch.heard();
        step.onOutput(chunk);
      },
      signal: watch.signal,
      leftovers: () => {
        open.alive.delete(me);
        return open.alive.size === 0 ? stepProcesses(driver, open) : [];
      },
    });
    watch.throwIfStopped();
    if (code !== 0 && driver.cgroups.kills(open.cgroup).kills > killsBefore) throw outOfMemory(open);
    return code;
  } finally {
    open.alive.delete(me);
    watch.end();
  }
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

/** Watches the clock, the output and the caller's signal; the first to object kills the step and is remembered. */
function watchStep(step: SandboxStep, killAll: () => void) {
  const controller = new AbortController();
  let verdict: WherryError | undefined;
  const stop = (error: WherryError) => {
    verdict ??= error;
    controller.abort(verdict);
    killAll();
  };
  const onAbort = () => stop(new WherryError('interrupted', 'The build was cancelled.'));
  const timer = setTimeout(() => stop(tooLong(step.timeout)), step.timeout);
  const { silence } = step;
  const startSilence = () =>
    silence === undefined ? undefined : setTimeout(() => stop(tooQuiet(silence)), silence);
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

function killStep(driver: Driver, open: OpenSandbox): void {
  for (const pid of stepProcesses(driver, open)) kill(pid, 'SIGKILL');
}

/** Everything in the sandbox but its first process, which holds it open. */
function stepProcesses(driver: Driver, open: OpenSandbox): readonly number[] {
  return driver.cgroups.processes(open.cgroup).filter(pid => pid !== open.pausePid);
}

function outOfMemory({ spec }: OpenSandbox): WherryError {
  return new WherryError(
    'build-failed',
    `The build was killed at its memory limit of ${formatBytes(spec.limits.memory)}. Raise the limit, or let the build use less.`,
  );
}

function tooLong(limit: number): WherryError {
  return new WherryError(
    'build-failed',
    `The build was stopped at its time limit of ${duration(limit)}. Raise the limit, or let the build do less.`,
  );
}

function tooQuiet(limit: number): WherryError {
  return new WherryError(
    'build-failed',
    `The build was stopped because it printed nothing for ${duration(limit)}. Let long steps print their progress, or raise the limit.`,
  );
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 100) / 10;
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
