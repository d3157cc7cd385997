import { WherryError } from '../domain/errors.ts';
import type { Progress } from '../domain/push.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { howItEnded, remedy } from './exits.ts';
import { dynoOf, type Member } from './member.ts';
import { explainListeners, listeners, waitReady } from './ready.ts';
import type { Desired } from './runtime.ts';
import { passStartupChecks, startupChecks } from './startup.ts';

/** A process that neither listens nor has checks counts as up when it has run this long, in milliseconds. */
const uptimeCheck = 1000;

export type ProveOptions = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly readyTimeout: number;
  readonly lastWords: (logFile: string) => Promise<readonly string[]>;
};

type Started = {
  readonly desired: Desired;
  readonly member: Member;
  readonly signal?: AbortSignal;
  /** Told of checks that fail and stop nothing. */
  readonly warn?: (text: string) => void;
  /** It ran before: it is to be used, not to be proven. */
  readonly again?: true;
};

/**
 * Waits until a started instance of a deploy is ready.
 * @throws WherryError check-failed, after the app's own last words were shown to whoever waits
 */
export async function prove(
  options: ProveOptions,
  started: Started & { readonly progress: Progress },
): Promise<void> {
  const { desired, member, progress, signal } = started;
  const dyno = dynoOf(member);
  const { skipped, disabled } = desired.checks?.() ?? {};
  if (skipped?.(member.type) || disabled?.(member.type)) {
    progress.detail(`Checks are left out (${dyno})`);
    return;
  }
  progress.detail(`Attempting pre-flight checks (${dyno})`);
  try {
    await untilReady(options, { ...started, warn: text => progress.warn(`${text} (${dyno})`) });
    progress.detail(`All checks successful (${dyno})`);
  } catch (error) {
    signal?.throwIfAborted();
    const words = await options.lastWords(member.logFile);
    progress.warn(`Could not start due to 1 failed checks (${dyno})`);
    progress.header(`Start of ${desired.app.name} container output (${dyno})`);
    for (const line of words) progress.raw(line);
    progress.header(`End of ${desired.app.name} container output (${dyno})`);
    if (!(error instanceof WherryError)) throw error;
    throw new WherryError(
      'check-failed',
      `Release v${desired.version} does not start: ${dyno} ${error.message}.`,
      { cause: error },
    );
  }
}

/** Ready, ended or out of time, whichever is first. @throws WherryError whose message goes on after the process's name */
export async function untilReady(options: ProveOptions, started: Started): Promise<void> {
  const { member } = started;
  const attempt = new AbortController();
  const until = AbortSignal.any([
    attempt.signal,
    member.life.signal,
    ...(started.signal ? [started.signal] : []),
  ]);
  const ended = untilEnded(options, started, until);
  const up = untilUp(options, started, until);
  try {
    await Promise.race([up, ended]);
  } finally {
    attempt.abort(new Error('settled'));
    await Promise.allSettled([up, ended]);
  }
}

async function untilEnded(
  { engine }: ProveOptions,
  { desired, member }: Started,
  until: AbortSignal,
): Promise<never> {
  const exit = await engine.wait(member.id, until);
  const hint = exit.oom ? `; raise the limit with "${remedy(desired.app.name, member.type, exit.oom)}"` : '';
  throw new WherryError('check-failed', `${howItEnded(exit)} before it was ready${hint}`);
}

/** Web listens; what has checks passes them; what has neither has run for a while. */
async function untilUp(options: ProveOptions, started: Started, signal: AbortSignal): Promise<void> {
  const { clock } = options;
  const { desired, member } = started;
  const since = clock.ticks();
  if (member.type === 'web') await untilListening(options, member, signal);
  else if (startupChecks(desired, member.type).length === 0)
    return await clock.sleep(desired.checks?.().defaultWait ?? uptimeCheck, signal);
  await passStartupChecks(options, { ...started, since, signal });
}

async function untilListening(options: ProveOptions, member: Member, signal: AbortSignal): Promise<void> {
  const { engine, clock, readyTimeout: timeout } = options;
  try {
    await waitReady({ host: member.address, port: member.port, timeout, signal, clock });
  } catch (error) {
    throw error instanceof WherryError ? await withPlaces(engine, member, error) : error;
  }
}

/** Adds where the process does listen, if not where it should, to a time-out of the readiness check. */
async function withPlaces(engine: Engine, member: Member, error: WherryError): Promise<WherryError> {
  const instance = (await engine.list()).find(candidate => candidate.id === member.id);
  if (instance?.status.kind !== 'running') return error;
  const found = await listeners(instance.status.pid);
  if (found.includes(`*:${member.port}`)) return error;
  return new WherryError(
    'check-failed',
    `${error.message.split(':')[0]}: ${explainListeners(found, member.port)}`,
    { cause: error },
  );
}
