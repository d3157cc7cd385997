import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** What becomes of a process that ended: `most` is how often in a row it is started again. */
export type RestartPolicy =
  | { readonly kind: 'always' }
  | { readonly kind: 'no' }
  | { readonly kind: 'on-failure'; readonly most: number };

/** How an app's processes are kept and ended, as it is set at the moment. */
export type Upkeep = {
  readonly restart: RestartPolicy;
  /** Milliseconds between the request to end and SIGKILL; undefined is what the platform gives. */
  readonly stopTimeout: number | undefined;
  /** Bytes of output that are kept of each instance; undefined is what the platform gives. */
  readonly logSize?: number;
};

/** The name that `logs:set` stores it under. */
export const logSizeKey = 'logs-max-size';
export const usualLogSize = '10m';
const [smallestLog, largestLog] = [64 * 1024, 2 ** 30];

/** Unlike dokku's on-failure:10, an app is never given up, and one that ends well is started again too. */
export const usualRestartPolicy = 'always';
export const usualStopTimeout = 30;
const longestStop = 3600;
const mostRestarts = 1000;

const upkeepProperties = ['restart-policy', 'stop-timeout-seconds'] as const;
type UpkeepProperty = (typeof upkeepProperties)[number];

/** The name that it is stored under. */
export function psKey(property: UpkeepProperty | 'procfile-path' | 'max-parallel'): string {
  return `ps-${property}`;
}

/** @throws invalid */
export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === 'no') return { kind: 'no' };
  if (text === 'always' || text === 'unless-stopped') return { kind: 'always' };
  const [, count] = /^on-failure(?::(\d{1,4}))?$/.exec(text) ?? [text, 'none'];
  const most = count === undefined ? Number.POSITIVE_INFINITY : Number(count);
  if (most >= 1 && (most <= mostRestarts || most === Number.POSITIVE_INFINITY))
    return { kind: 'on-failure', most };
  throw new WherryError(
    'invalid',
    `Invalid restart-policy specified: ${quoteForPeople(text)}. Give no, always, unless-stopped, on-failure or on-failure:N with N from 1 to ${mostRestarts}.`,
  );
}

/** Milliseconds, from seconds. @throws invalid */
export function parseStopTimeout(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= longestStop) return seconds * 1000;
  throw new WherryError(
    'invalid',
    `stop-timeout-seconds ${quoteForPeople(text)} is not valid. Give whole seconds from 1 to ${longestStop}.`,
  );
}

/** Bytes, from `512k`, `10m`, `1g`. @throws invalid */
export function parseLogSize(text: string): number {
  const [, count, unit] = /^(\d{1,9})([kmg])b?$/i.exec(text) ?? [];
  const factor = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit?.toLowerCase() ?? ''] ?? 0;
  const bytes = Number(count) * factor;
  if (bytes >= smallestLog && bytes <= largestLog) return bytes;
  throw new WherryError('invalid', `max-size ${quoteForPeople(text)} is not valid. Give 64k to 1g, as 10m.`);
}

export function readUpkeep(get: (key: string) => string | undefined): Upkeep {
  const stop = get(psKey('stop-timeout-seconds'));
  const size = get(logSizeKey);
  return {
    restart: parseRestartPolicy(get(psKey('restart-policy')) ?? usualRestartPolicy),
    stopTimeout: stop === undefined ? undefined : parseStopTimeout(stop),
    ...(size === undefined ? {} : { logSize: parseLogSize(size) }),
  };
}

/** Why a process that ended stays so; undefined when it is to be started again. */
export function whyLeft(
  policy: RestartPolicy,
  { restarts, failed }: { readonly restarts: number; readonly failed: boolean },
): string | undefined {
  if (policy.kind === 'always') return undefined;
  if (policy.kind === 'no') return 'restart-policy is no';
  if (!failed) return 'restart-policy is on-failure';
  return restarts < policy.most ? undefined : `restart-policy is on-failure:${policy.most}`;
}
