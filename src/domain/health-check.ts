import type { CommandCheck, Image } from './image.ts';

export const checkTypes = ['startup', 'readiness', 'liveness'] as const;
type CheckType = (typeof checkTypes)[number];

/** What a check looks at. */
export type CheckProbe =
  | {
      readonly kind: 'http';
      readonly path: string;
      readonly scheme: 'http' | 'https';
      /** The process's own when left out. */
      readonly port?: number;
      readonly headers: readonly (readonly [name: string, value: string])[];
      /** Text that must be in the answer. */
      readonly content?: string;
    }
  | { readonly kind: 'listening'; readonly port?: number }
  | { readonly kind: 'command'; readonly command: readonly string[] }
  /** It must have run that many milliseconds. */
  | { readonly kind: 'uptime'; readonly uptime: number };

/** A health check of an app.json. Times in milliseconds; what is left out is as `checks:set` says. */
export type HealthCheck = {
  readonly name: string;
  readonly type: CheckType;
  readonly probe: CheckProbe;
  /** Failures in a row, `wait` apart, that are one too many. */
  readonly attempts?: number;
  readonly wait?: number;
  /** Of one attempt. */
  readonly timeout?: number;
  /** From the start of the process; until then failures do not count. */
  readonly initialDelay?: number;
  /** A failure is told and stops nothing. */
  readonly warn?: true;
  /** Runs inside the instance when it has failed. */
  readonly onFailure?: readonly string[];
};

/** By process type. */
export type HealthChecks = Readonly<Record<string, readonly HealthCheck[]>>;

/** How often a check is tried, where it does not say so itself; milliseconds. */
export type CheckPace = { readonly attempts: number; readonly wait: number; readonly timeout: number };

export const usualPace: CheckPace = { attempts: 3, wait: 5000, timeout: 5000 };

/** The checks of a process type from app.json. Images made before checks had kinds hold a path alone. */
export function checksOf(
  { healthchecks, healthcheck }: Pick<Image, 'healthchecks' | 'healthcheck'>,
  type: string,
): readonly HealthCheck[] {
  if (healthcheck && 'path' in healthcheck && type === 'web') {
    const probe = { kind: 'http', path: healthcheck.path, scheme: 'http', headers: [] } as const;
    return [{ name: healthcheck.path, type: 'startup', probe }];
  }
  return healthchecks && Object.hasOwn(healthchecks, type) ? (healthchecks[type] ?? []) : [];
}

/** The same with every time known. */
export function paced(check: HealthCheck, usual: CheckPace): CheckPace {
  const { attempts = usual.attempts, wait = usual.wait, timeout = usual.timeout } = check;
  return { attempts, wait, timeout };
}

/** As failures of a Dockerfile's HEALTHCHECK are counted. */
export function countedAs(check: HealthCheck, usual: CheckPace): Omit<CommandCheck, 'command'> {
  const { attempts, wait, timeout } = paced(check, usual);
  return { interval: wait, timeout, retries: attempts, startPeriod: check.initialDelay ?? 0 };
}

/** What it looks at, for people. */
export function probeWords(probe: CheckProbe): string {
  switch (probe.kind) {
    case 'http':
      return probe.path;
    case 'listening':
      return probe.port === undefined ? 'listening' : `listening on ${probe.port}`;
    case 'command':
      return probe.command.join(' ');
    case 'uptime':
      return `uptime of ${probe.uptime / 1000} s`;
  }
}
