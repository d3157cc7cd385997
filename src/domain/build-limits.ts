import { largestMemory, parseMemory } from './bytes.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** `all` of the Internet, the package registries that the operator has set alone, or nothing. Never the host or its network. */
export type BuildNetwork = 'all' | 'registries' | 'none';

/** What one build may use. */
export type BuildLimits = {
  /** Bytes. */
  readonly memory: number;
  /** Share of a busy CPU, in percent of a running app's. */
  readonly cpu: number;
  readonly pids: number;
  /** Bytes that it may write. */
  readonly disk: number;
  /** Milliseconds from its first container to its image. */
  readonly time: number;
  /** Milliseconds without output. */
  readonly silence: number;
  readonly network: BuildNetwork;
};

type Row<Value> = {
  readonly field: keyof BuildLimits;
  readonly usual: Value;
  readonly parse: (text: string) => Value;
  readonly format: (value: Value) => string;
  /** The largest that can be set, where a build ends that meets it. */
  readonly most?: number;
};

const mib = 2 ** 20;
const longest = 24 * 3_600_000;
const mostProcesses = 32_768;
const row = <Value>(given: Row<Value>): Row<Value> => given;

/** Every limit as `builds:set` names it. */
export const buildProperties = {
  memory: row({
    field: 'memory',
    usual: 2048 * mib,
    parse: parseMemory,
    format: exactBytes,
    most: largestMemory,
  }),
  cpu: row({
    field: 'cpu',
    usual: 25,
    parse: text => whole(text.replace(/%$/, ''), { what: 'percent for cpu', min: 1, max: 100 }),
    format: value => `${value}%`,
  }),
  timeout: row({
    field: 'time',
    usual: 1_500_000,
    parse: text => between(text, 'timeout', 10_000, longest),
    format: formatDuration,
    most: longest,
  }),
  silence: row({
    field: 'silence',
    usual: 600_000,
    parse: text => between(text, 'silence', 10_000, longest),
    format: formatDuration,
    most: longest,
  }),
  disk: row({
    field: 'disk',
    usual: 4096 * mib,
    parse: parseDisk,
    format: exactBytes,
    most: largestMemory,
  }),
  processes: row({
    field: 'pids',
    usual: 1024,
    parse: text => whole(text, { what: 'number of processes', min: 16, max: mostProcesses }),
    format: String,
    most: mostProcesses,
  }),
  network: row<BuildNetwork>({ field: 'network', usual: 'all', parse: parseNetwork, format: String }),
} as const;

export type BuildProperty = keyof typeof buildProperties;

export const buildPropertyNames = Object.keys(buildProperties) as readonly BuildProperty[];

/** The name that a limit is stored under. */
export function buildPropertyKey(property: BuildProperty): string {
  return `builds-${property}`;
}

/** The text as it is stored: read, checked and written out again. @throws invalid */
export function parseBuildProperty(property: BuildProperty, text: string): string {
  const { parse, format } = buildProperties[property] as Row<unknown>;
  return format(parse(text));
}

/** A stored text as it is shown, the usual value where nothing is stored. */
export function shownProperty(property: BuildProperty, stored: string | undefined): string {
  const { usual, format } = buildProperties[property] as Row<unknown>;
  return stored ?? format(usual);
}

/** What a build is held to by stored texts, `get` giving that of the app, else of all apps, else none. */
export function buildLimitsOf(get: (key: string) => string | undefined): BuildLimits {
  const values = buildPropertyNames.map(property => {
    const { field, usual, parse } = buildProperties[property] as Row<unknown>;
    const stored = get(buildPropertyKey(property));
    return [field, stored === undefined ? usual : parse(stored)];
  });
  return Object.fromEntries(values) as BuildLimits;
}

export const buildDefaults: BuildLimits = buildLimitsOf(() => undefined);

/** The limits that end a build when it meets them. */
export type Breach = {
  readonly property: Exclude<BuildProperty, 'cpu' | 'network'>;
  /** The limit, in its own unit. */
  readonly limit: number;
};

const stories: { readonly [Property in Breach['property']]: (limit: string) => string } = {
  memory: limit => `The build was killed at its memory limit of ${limit}: let it use less`,
  timeout: limit => `The build was stopped at its time limit of ${limit}: let it do less`,
  silence: limit =>
    `The build was stopped because it printed nothing for ${limit}: let long steps print their progress`,
  disk: limit => `The build wrote more than its disk limit of ${limit}: let it write less`,
  processes: limit =>
    `The build failed at its limit of ${limit} processes and threads: let it start fewer at once`,
};

/** The end of a build at one of its limits: a sentence with the limit and the command that raises it, if it can be raised. */
export class LimitReached extends WherryError {
  readonly breach: Breach;

  constructor(breach: Breach, app = 'APP') {
    const { format, most = Number.POSITIVE_INFINITY } = buildProperties[breach.property];
    const told = stories[breach.property](format(breach.limit));
    const raised = format(Math.min(breach.limit * 2, most));
    const remedy = `, or raise the limit with: builds:set ${app} ${breach.property} ${raised}`;
    super('build-failed', breach.limit < most ? `${told}${remedy}` : `${told}.`);
    this.breach = breach;
  }

  /** The same, where the app is known. */
  of(app: string): LimitReached {
    return new LimitReached(this.breach, app);
  }
}

function parseDisk(text: string): number {
  const bytes = parseMemory(text);
  if (bytes >= 16 * mib) return bytes;
  throw new WherryError('invalid', `Disk ${quoteForPeople(text)} is out of range. Give between 16m and 4t.`);
}

function parseNetwork(text: string): BuildNetwork {
  if (text === 'all' || text === 'registries' || text === 'none') return text;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no network for builds. Give all, registries or none.`,
  );
}

function between(text: string, what: string, least: number, most: number): number {
  const value = parseDuration(text);
  if (value >= least && value <= most) return value;
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is out of range for ${what}. Give between ${formatDuration(least)} and ${formatDuration(most)}.`,
  );
}

function whole(text: string, { what, min, max }: { what: string; min: number; max: number }): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new WherryError('invalid', `${quoteForPeople(text)} is no ${what}. Give ${min} to ${max}.`);
}

const byteUnits = [
  ['g', 2 ** 30],
  ['m', mib],
  ['k', 1024],
] as const;

/** Without rounding: what is stored is read again. */
function exactBytes(bytes: number): string {
  const unit = byteUnits.find(([, size]) => bytes % size === 0);
  return unit ? `${bytes / unit[1]}${unit[0]}` : `${bytes}b`;
}
