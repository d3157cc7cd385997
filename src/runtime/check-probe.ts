import { WherryError } from '../domain/errors.ts';
import type { CheckProbe } from '../domain/health-check.ts';
import { quoteForPeople } from '../domain/names.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { timeLimit } from '../system/time-limit.ts';
import { askHttp, type HttpTarget } from './http-probe.ts';
import { canConnect } from './ready.ts';

export type Probed = HttpTarget & {
  readonly engine: Pick<Engine, 'exec'>;
  readonly clock: Clock;
  readonly id: string;
  /** In front of each command. */
  readonly launcher: readonly string[];
  /** When the instance was started, in ticks. */
  readonly since: number;
};

type Attempt = { readonly timeout: number; readonly signal: AbortSignal };

/** One attempt of a check. Undefined when it passes, else why not, as the rest of a sentence. */
export async function runProbe(
  target: Probed,
  probe: CheckProbe,
  attempt: Attempt,
): Promise<string | undefined> {
  switch (probe.kind) {
    case 'http':
      return await askHttp(target, probe, attempt);
    case 'listening':
      return await canConnect({ host: target.address, port: probe.port ?? target.port }, attempt.timeout);
    case 'command':
      return await runCommand(target, [...target.launcher, ...probe.command], {
        ...attempt,
        what: `its check ${quoteForPeople(probe.command.join(' '))}`,
      });
    case 'uptime':
      return target.clock.ticks() - target.since >= probe.uptime
        ? undefined
        : `it has not run for ${probe.uptime / 1000} s`;
  }
}

/** A program inside the instance that passes with status 0. */
export async function runCommand(
  { engine, id }: Pick<Probed, 'engine' | 'id'>,
  argv: readonly string[],
  { what, timeout, signal }: Attempt & { readonly what: string },
): Promise<string | undefined> {
  let said = '';
  const onOutput = (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-1000);
  };
  const limit = timeLimit(timeout, signal);
  const status = await engine
    .exec(id, { argv, onOutput, signal: limit.signal })
    .catch(toMessage)
    .finally(limit.end);
  if (status === 0) return undefined;
  if (limit.late()) return `${what} takes longer than ${timeout / 1000} s`;
  if (typeof status === 'string') return status;
  const [words] = said.trim().split('\n').slice(-1);
  return `${what} ends with status ${status}${words ? `: ${quoteForPeople(words)}` : ''}`;
}

/** The instance may have ended meanwhile, which others see and tell. */
function toMessage(error: unknown): string {
  if (error instanceof WherryError) return error.message;
  throw error;
}
