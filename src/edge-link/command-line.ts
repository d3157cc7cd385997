import type { Listening } from '../domain/route.ts';
import type { EdgeProcess } from './process.ts';
import type { Ids } from './user.ts';

/** What an edge is to do; its command line says all of it. */
export type EdgePlan = {
  readonly dir: string;
  readonly http: Listening;
  readonly https: Listening | undefined;
  readonly user: Ids | undefined;
  readonly version: string;
};

/** A small young generation: what a request leaves dies at once, so more memory buys no speed here. */
export const edgeNodeFlags = ['--max-semi-space-size=2', '--disable-warning=DEP0060'];

/** The whole command, without the program. @param start what starts an edge, up to and with the word `edge` */
export function edgeArguments(start: readonly string[], plan: EdgePlan): string[] {
  return [...edgeNodeFlags, ...start, ...wordsOf(plan)];
}

function wordsOf({ dir, http, https, user, version }: EdgePlan): string[] {
  return [
    ...['--http', printed(http), '--dir', dir],
    ...(https ? ['--https', printed(https)] : []),
    ...(user ? ['--user', `${user.uid}:${user.gid}`] : []),
    ...['--version', version],
  ];
}

/** Whether it listens where it should; at any port where 0 is asked for. */
export function listensAt(found: EdgeProcess, { http, https }: Pick<EdgePlan, 'http' | 'https'>): boolean {
  return isAt(found.http, http) && (https ? isAt(found.https, https) : found.https === '');
}

/** Whether it is what would be started now, but for where it listens: the same program, told the same. */
export function isCurrent(found: EdgeProcess, plan: EdgePlan): boolean {
  const other = wordsOf(plan);
  const isAddress = (at: number) => found.words[at - 1] === '--http' || found.words[at - 1] === '--https';
  return (
    found.words.length === other.length &&
    found.words.every((word, at) => word === other[at] || isAddress(at))
  );
}

function isAt(found: string, wanted: Listening): boolean {
  return wanted.port === 0 ? found.startsWith(`${bracketed(wanted.host)}:`) : found === printed(wanted);
}

function printed(address: Listening): string {
  return `${bracketed(address.host)}:${address.port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
