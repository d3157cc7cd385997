import { formatDuration } from '../domain/duration.ts';
import type { SleepDepth } from '../domain/scaling.ts';
import type { Group } from './fleet.ts';

/** What is known of an app's requests when it is decided. Times are Unix milliseconds, spans milliseconds. */
export type Signal = {
  readonly now: number;
  /** Mean requests in flight, over the stable and over the panic window. */
  readonly stable: number;
  readonly panic: number;
  readonly inFlight: number;
  readonly idle: number;
  /** Most instances that any second of the last `patience` asked for. */
  readonly mostWanted: number;
  readonly grownAt: number;
  readonly shrunkAt: number;
  /** Until when a burst forbids to shrink. */
  readonly panicUntil: number;
  /** The host's processors are short: another instance would make all slower. */
  readonly saturated: boolean;
  /** The host is short of memory, and of those who are frozen this one gives most for what it was used. */
  readonly pressed: boolean;
};

export type Decision = { readonly why: string } & (
  | { readonly kind: 'keep' }
  | { readonly kind: 'resize'; readonly count: number }
  | { readonly kind: 'sleep'; readonly depth: SleepDepth }
);

export const stableSpan = 60_000;
export const panicSpan = 6000;
/** Each second of it must allow fewer instances before there are fewer. */
export const patience = 120_000;
/** How long a burst forbids to shrink. */
export const panicHold = 60_000;
const growEvery = 5000;
const shrinkEvery = 30_000;
/** Of the target, so that there is room while more are started. */
const utilisation = 0.7;
/** Of the target, that those who stay may have after one went. */
const fullest = 0.8;
/** A start this many times as long as the idle time would be paid too often. */
const coldStarts = 20;

/** Instances that so many requests in flight ask for, within no bounds. */
export function wanted(inFlight: number, target: number): number {
  return inFlight === 0 ? 0 : Math.ceil(inFlight / (target * utilisation) - 1e-9);
}

/** Whether a burst asks for at least twice what there is. */
export function isBurst(group: Group, panic: number): boolean {
  return group.ready > 0 && wanted(panic, group.rules.target) >= 2 * group.ready;
}

/** What is to be done about a web process now, and why, for people. */
export function decide(group: Group, signal: Signal): Decision {
  if (group.held) return keep('Something else is being done to the app.');
  if (group.asleep) return deepen(group, signal, group.asleep);
  if (group.count < Math.max(1, group.rules.min)) return toMinimum(group);
  return rest(group, signal) ?? grow(group, signal) ?? shrink(group, signal);
}

function deepen({ rules, changedAt }: Group, { now, pressed }: Signal, depth: SleepDepth): Decision {
  if (depth === 'deep') return keep('It sleeps, stopped, until a request comes.');
  if (pressed) return { kind: 'sleep', depth: 'deep', why: 'The host is short of memory.' };
  if (now - changedAt < rules.deepAfter) return keep('It sleeps, frozen, until a request comes.');
  return { kind: 'sleep', depth: 'deep', why: `It was frozen for ${formatDuration(rules.deepAfter)}.` };
}

function toMinimum({ rules }: Group): Decision {
  const count = Math.max(1, rules.min);
  return { kind: 'resize', count, why: `At least ${count} are asked for.` };
}

/** To sleep, if it may and is not used; undefined when it is no question. */
function rest(group: Group, { now, inFlight, idle }: Signal): Decision | undefined {
  const { rules } = group;
  if (rules.min > 0 || inFlight > 0) return undefined;
  const needed = Math.max(rules.idle, coldStarts * group.coldStart);
  if (idle < needed || group.ready === 0) return undefined;
  if (now < group.busyUntil)
    return keep(`It says that it is busy until ${new Date(group.busyUntil).toISOString()}.`);
  if (now - group.changedAt < rules.awake)
    return keep(`It stays awake for ${formatDuration(rules.awake)} after a wake or a deploy.`);
  const depth = rules.deepAfter === 0 ? 'deep' : 'light';
  return { kind: 'sleep', depth, why: `It was not used for ${formatDuration(needed)}.` };
}

function grow(group: Group, signal: Signal): Decision | undefined {
  const { rules, ready, count } = group;
  const { stable, panic, now } = signal;
  const most = Math.max(wanted(stable, rules.target), wanted(panic, rules.target));
  const aim = Math.min(most, rules.max);
  if (aim <= count) {
    return most > rules.max && count >= rules.max
      ? keep(`${most} would fit its load, but ${rules.max} is the most that was set.`)
      : undefined;
  }
  if (signal.saturated) return keep(`${aim} would fit its load, but the host's processors are short.`);
  if (now - signal.grownAt < growEvery || count > ready)
    return keep(`${aim} would fit its load; the last ones are still being started.`);
  const next = Math.min(aim, Math.max(1, ready) * 2);
  return {
    kind: 'resize',
    count: next,
    why: `${requests(Math.max(stable, panic))} for a target of ${rules.target}.`,
  };
}

function shrink(group: Group, signal: Signal): Decision {
  const { rules, count } = group;
  const least = Math.max(1, rules.min);
  const load = requests(signal.stable);
  if (count <= least) return keep(`${load} for a target of ${rules.target}; ${least} is the least.`);
  const over = count > rules.max;
  if (over) return { kind: 'resize', count: rules.max, why: `At most ${rules.max} are allowed.` };
  if (signal.mostWanted >= count) return keep(`${load}; its load of the last two minutes asks for as many.`);
  if (signal.now < signal.panicUntil) return keep(`${load}; a burst has just been.`);
  if (signal.now - signal.shrunkAt < shrinkEvery) return keep(`${load}; one went less than 30 s ago.`);
  if (signal.stable > fullest * rules.target * (count - 1))
    return keep(`${load}; one fewer would be too full.`);
  return { kind: 'resize', count: count - 1, why: `${load} for a target of ${rules.target}.` };
}

function requests(mean: number): string {
  return `${mean < 10 ? mean.toFixed(1) : Math.round(mean)} requests in flight`;
}

function keep(why: string): Decision {
  return { kind: 'keep', why };
}
