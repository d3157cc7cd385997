import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { EdgeLog } from './log.ts';

/** Milliseconds between two looks of the histogram, which counts them as delay. */
const resolution = 20;
const alarm = 50;
const minute = 60_000;

/** The part of Node's histogram that is read; in nanoseconds. */
export type DelayHistogram = { readonly max: number; percentile(share: number): number; reset(): unknown };

export type LoopLagOptions = {
  readonly log: EdgeLog;
  readonly overloaded: (milliseconds: number) => void;
  readonly histogram?: DelayHistogram;
};

/**
 * How long the event loop kept requests waiting at worst. More than 50 ms is said in the log; in a minute only what is worse still.
 * A minute in which half of them waited that long is more than a stall: the process has more to do than it can.
 */
export class LoopLag {
  readonly #histogram: DelayHistogram;
  readonly #log: EdgeLog;
  /** Told of such a minute. */
  readonly #overloaded: (milliseconds: number) => void;
  #begunAt = performance.now();
  #before = 0;
  #said = 0;

  constructor({ log, overloaded, histogram = startHistogram() }: LoopLagOptions) {
    this.#log = log;
    this.#overloaded = overloaded;
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
    const usual = this.#histogram.percentile(50) / 1e6 - resolution;
    if (usual >= alarm) this.#overloaded(usual);
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
