import { formatDuration, parseDuration } from './duration.ts';
import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';
import { largestScale } from './quota.ts';

/** Frozen in memory, or stopped with the next start prepared. */
export type SleepDepth = 'light' | 'deep';

/** How a process type scales by itself. Times are in milliseconds. */
export type ScalingRules = {
  /** Whether anything was set: without, the number of instances is what `ps:scale` says. */
  readonly automatic: boolean;
  /** Instances at least; 0 lets the app sleep. */
  readonly min: number;
  /** Instances at most. */
  readonly max: number;
  /** Requests in flight per instance that are aimed at. */
  readonly target: number;
  /** Time without use until the app sleeps lightly (frozen). */
  readonly idle: number;
  /** Time of light sleep until it sleeps deeply (stopped); 0 is at once, infinity never. */
  readonly deepAfter: number;
  /** Time that a request waits for a sleeping app. */
  readonly wakeTimeout: number;
  /** Time that it stays awake after it woke or was deployed, whether used or not. */
  readonly awake: number;
};

type Knob = {
  readonly usual: string;
  readonly help: string;
  /** @throws invalid */
  readonly parse: (text: string) => number;
};

/** What `autoscale:set` knows, by the name that people type. */
export const knobs = {
  min: { usual: '', help: 'instances at least; 0 lets it sleep', parse: count('min', 0) },
  max: { usual: '', help: 'instances at most', parse: count('max', 1) },
  target: {
    usual: '20',
    help: 'requests in flight per instance that are aimed at',
    parse: whole('target', 1, 10_000),
  },
  idle: { usual: '15m', help: 'time without use until it sleeps', parse: time('idle', 1000) },
  'deep-after': {
    usual: '15m',
    help: 'time frozen until it is stopped; 0 stops it at once, never keeps it frozen',
    parse: text => (text === 'never' ? Number.POSITIVE_INFINITY : time('deep-after', 0)(text)),
  },
  'wake-timeout': {
    usual: '30s',
    help: 'time that a request waits for it to wake',
    parse: time('wake-timeout', 1000, 3_600_000),
  },
  awake: {
    usual: '2m',
    help: 'time that it stays awake after a wake or a deploy, used or not',
    parse: time('awake', 0),
  },
} as const satisfies Record<string, Knob>;

export type KnobName = keyof typeof knobs;

export const knobNames = Object.keys(knobs) as readonly KnobName[];

/** The property that a knob of a process type is stored under. */
export function knobKey(type: string, name: KnobName): string {
  return `autoscale-${type}-${name}`;
}

/**
 * The rules as they work out. @param get what is stored of a knob; undefined for nothing @param scale what `ps:scale` says
 * @throws invalid when what is stored does not fit together
 */
export function readScalingRules(get: (name: KnobName) => string | undefined, scale: number): ScalingRules {
  const value = (name: KnobName): number => knobs[name].parse(get(name) ?? knobs[name].usual);
  const given = { min: get('min'), max: get('max') };
  const most = given.max === undefined ? undefined : knobs.max.parse(given.max);
  const min = given.min === undefined ? Math.min(scale, most ?? scale) : knobs.min.parse(given.min);
  const max = most ?? Math.max(min, scale, 1);
  if (min > max)
    throw new WherryError('invalid', `min=${min} is above max=${max}. Give a min that is not above the max.`);
  return {
    automatic: given.min !== undefined || given.max !== undefined,
    min,
    max,
    target: value('target'),
    idle: value('idle'),
    deepAfter: value('deep-after'),
    wakeTimeout: value('wake-timeout'),
    awake: value('awake'),
  };
}

/** As people write it. */
export function shownKnob(rules: ScalingRules, name: KnobName): string {
  const times = {
    idle: rules.idle,
    'deep-after': rules.deepAfter,
    'wake-timeout': rules.wakeTimeout,
    awake: rules.awake,
  };
  if (!(name in times)) return String(rules[name as 'min' | 'max' | 'target']);
  const time = times[name as keyof typeof times];
  return Number.isFinite(time) ? formatDuration(time) : 'never';
}

function count(name: string, least: number): (text: string) => number {
  return whole(name, least, largestScale);
}

function whole(name: string, least: number, most: number): (text: string) => number {
  return text => {
    const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new WherryError(
      'invalid',
      `${name}=${quoteForPeople(text)} is not a whole number from ${least} to ${most}.`,
    );
  };
}

function time(name: string, least: number, most = 365 * 86_400_000): (text: string) => number {
  return text => {
    const milliseconds = parseDuration(text);
    if (milliseconds >= least && milliseconds <= most) return milliseconds;
    throw new WherryError(
      'invalid',
      `${name}=${text} is not a time from ${formatDuration(least)} to ${formatDuration(most)}.`,
    );
  };
}
