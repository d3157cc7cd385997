/** How a process type scales by itself. */
export type ScalingRules = {
  /** Instances at least; 0 lets the app sleep. */
  readonly min: number;
  /** Instances at most. */
  readonly max: number;
  /** Requests in flight per instance that are aimed at. */
  readonly target: number;
  /** Milliseconds without use until the app sleeps lightly (frozen). */
  readonly idle: number;
  /** Milliseconds of light sleep until it sleeps deeply (stopped); 0 is at once. */
  readonly deepAfter: number;
  /** Milliseconds that a request waits for a sleeping app. */
  readonly wakeTimeout: number;
};

/** Frozen in memory, or stopped with the next start prepared. */
export type SleepDepth = 'light' | 'deep';

const second = 1000;
const minute = 60 * second;

/** What holds where nothing is set; `min` and `max` are the app's scale until asked otherwise. */
export const scalingDefaults = {
  target: 20,
  idle: 15 * minute,
  deepAfter: 15 * minute,
  wakeTimeout: 30 * second,
} as const;
