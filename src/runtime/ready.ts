import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { WherryError } from '../domain/errors.ts';
import type { Clock } from '../system/clock.ts';

export type ReadyCheck = {
  readonly host: string;
  readonly port: number;
  /** Milliseconds in all. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
};

/**
 * Waits until a web process takes connections.
 * @throws WherryError check-failed after the time limit; the signal's reason when aborted
 */
export async function waitReady(check: ReadyCheck): Promise<void> {
  const { clock, signal } = check;
  const start = clock.ticks();
  let last = 'nothing listens there';
  for (;;) {
    const left = start + check.timeout - clock.ticks();
    if (left <= 0) {
      const limit = Math.round(check.timeout / 1000);
      throw new WherryError('check-failed', `not ready within ${limit} s: ${last}`);
    }
    const outcome = await canConnect(check, Math.min(left, 2000));
    signal.throwIfAborted();
    if (outcome === undefined) return;
    last = outcome;
    await clock.sleep(pause(clock.ticks() - start), signal);
  }
}

/** Often while it is most likely to come up, so that the check adds next to nothing to the app's own boot. */
export function pause(waited: number): number {
  if (waited < 3000) return 8;
  return waited < 10_000 ? 50 : 250;
}

export async function canConnect(at: Place, timeout: number): Promise<string | undefined> {
  const failure = await dial(at, timeout);
  if (failure === undefined) return undefined;
  return failure === 'timeout' ? `port ${at.port} does not answer` : `nothing listens on port ${at.port}`;
}

/** Whether nothing listens there for sure: who is too busy to answer is up. */
export async function isRefused(at: Place): Promise<boolean> {
  return (await dial(at, 1000)) === 'ECONNREFUSED';
}

type Place = Pick<ReadyCheck, 'host' | 'port'>;

/** @returns `timeout` or the system's code for why there is no connection; undefined when there is */
function dial({ host, port }: Place, timeout: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, timeout });
    const settle = (failure: string | undefined) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => settle(undefined));
    socket.once('timeout', () => settle('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'failed'));
  });
}

/** Where the processes of a network namespace listen, as `address:port`, seen through one of their pids. */
export async function listeners(pid: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map(name => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  return [...new Set(tables.flatMap(parseListeners))].sort();
}

/** Reads /proc/net/tcp (proc(5)): local addresses of sockets in state 0A, LISTEN. */
export function parseListeners(table: string): string[] {
  return table.split('\n').flatMap(line => {
    const [, local, , state] = line.trim().split(/\s+/);
    const [address, port] = local?.split(':') ?? [];
    if (state !== '0A' || !address || !port) return [];
    const loopback = address === '0100007F' || address === '00000000000000000000000001000000';
    return [`${loopback ? '127.0.0.1' : '*'}:${Number.parseInt(port, 16)}`];
  });
}

/** Why a web process that runs is not reached, in words, from where it does listen. */
export function explainListeners(found: readonly string[], port: number): string {
  if (found.includes(`127.0.0.1:${port}`)) return `it listens on 127.0.0.1 only; bind 0.0.0.0`;
  const ports = found.map(place => place.split(':')[1]).join(', ');
  if (ports)
    return `it listens on port ${ports}, not on PORT (${port}); listen on the port in the PORT variable`;
  return `it listens on no port; listen on the port in the PORT variable (${port})`;
}
