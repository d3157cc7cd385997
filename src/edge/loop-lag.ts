import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EdgeLog } from './log.ts';

/** Milliseconds between two looks of the histogram, which counts them as delay. */
const resolution = 20;
const alarm = 50;
const minute = 60_000;

/** The part of Node's histogram that is read; in nanoseconds. */
export type DelayHistogram = { readonly max: number; reset(): unknown };

/** How long the event loop kept requests waiting at worst. More than 50 ms is said in the log; in a minute only what is worse still. */
export class LoopLag {
  readonly #histogram: DelayHistogram;
  readonly #log: EdgeLog;
  #begunAt = performance.now();
  #before = 0;
  #said = 0;

  constructor(log: EdgeLog, histogram: DelayHistogram = startHistogram()) {
    this.#log = log;
    this.#histogram = histogram;
  }

  /** Milliseconds, of this minute and the one before. */
  get worst(): number {
    return Math.max(this.#before, this.#now);
  }

  everySecond(now: number): void {
    const worst = this.#now;
    if (worst >= alarm && worst > this.#said) {
      this.#said = worst;
      this.#log.warn({ ms: Math.round(worst) }, 'the event loop stood still');
    }
    // Not each second: a histogram that was reset misses the stall that is under way.
    if (now - this.#begunAt < minute) return;
    this.#begunAt = now;
    this.#before = worst;
    this.#said = 0;
    this.#histogram.reset();
  }

  get #now(): number {
    return Math.max(0, this.#histogram.max / 1e6 - resolution);
  }
}

function startHistogram(): DelayHistogram {
  const histogram = monitorEventLoopDelay({ resolution });
  histogram.enable();
  return histogram;
}
