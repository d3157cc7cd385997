import type { AppScripts, EnvRules } from './app-manifest.ts';
import type { CronTask } from './cron-task.ts';
import type { Formation } from './formation.ts';
import type { HealthChecks } from './health-check.ts';
import type { ProcessType } from './names.ts';

/** `sha256:` and 64 hex digits: the hash of a layer's deterministic tar stream (OCI image-spec, DiffID). */
export type DiffId = `sha256:${string}`;
/** `sha256:` and 64 hex digits: the hash of the image's canonical JSON. */
export type ImageId = `sha256:${string}`;

/** What one process type runs: argv (the first a path or a name on the image's PATH), where, and with which default. */
export type ProcessSpec = {
  readonly type: ProcessType;
  /** argv; never passed through a host shell. A Procfile line is `['bash', '-c', line]` here. */
  readonly command: readonly string[];
  readonly workingDir: string;
};

/** Which numeric user an image's processes run as. Never 0. */
export type UserIds = { readonly uid: number; readonly gid: number };

/** What asks a process to end, of its image's choice (STOPSIGNAL). */
export const stopSignals = [
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGHUP',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
] as const;
export type StopSignal = (typeof stopSignals)[number];

/** A program of the image that tells readiness by its exit status 0, run in the instance (HEALTHCHECK). Times in milliseconds. */
export type CommandCheck = {
  readonly command: readonly string[];
  /** Between two failures that count. */
  readonly interval: number;
  /** Of one run of it. */
  readonly timeout: number;
  /** Failures in a row that are one too many. */
  readonly retries: number;
  /** From the start of the process; until then failures do not count. */
  readonly startPeriod: number;
};

/** Immutable, equal for equal inputs on any host; holds no config values. */
export type Image = {
  readonly id: ImageId;
  /** Lowest layer first, ready to be stacked. */
  readonly layers: readonly DiffId[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: UserIds;
  /** Put in front of every command: the launcher that sets up the layers' environment. */
  readonly entrypoint: readonly string[];
  readonly processes: readonly ProcessSpec[];
  /** Port that the web process listens on, 1 to 65535; the platform's usual one when left out. */
  readonly port?: number;
  /** The program that tells readiness of a web process, beside a TCP connect on PORT (HEALTHCHECK); a path in images of earlier versions. */
  readonly healthcheck?: { readonly path: string } | CommandCheck;
  /** What its app.json has of them. */
  readonly healthchecks?: HealthChecks;
  /** What its app.json says of counts. */
  readonly formation?: Formation;
  /** What its app.json wants to run at times. */
  readonly cron?: readonly CronTask[];
  /** What its app.json wants in the config of the app. */
  readonly envRules?: EnvRules;
  /** What its app.json wants to run around a deploy. */
  readonly scripts?: AppScripts;
  /** SIGTERM when left out. */
  readonly stopSignal?: StopSignal;
  readonly labels: Readonly<Record<string, string>>;
};

/** Where the launcher of built images is; it sets up the environment that their layers want. */
const launcher = '/cnb/lifecycle/launcher';

/** What goes before a command that runs beside a process of the image; a Dockerfile's ENTRYPOINT is a program of its own. */
export function launchedBy({ entrypoint }: Pick<Image, 'entrypoint'>): readonly string[] {
  return entrypoint[0] === launcher ? entrypoint : [];
}
