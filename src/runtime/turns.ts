import type { Clock } from '../system/clock.ts';

export type TurnsOptions = {
  /** Who have their turn at the same time. */
  readonly atOnce: number;
  /** Milliseconds after which a turn counts no longer: whoever is that slow waits for something else than a processor. */
  readonly longest: number;
  readonly clock: Clock;
};

/**
 * Lets those who come at once begin a few at a time, first come, first served: of many apps that boot side by side, all are as late as
 * the last.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Resolves when it is one's turn, with the way to end it. */
  async take(): Promise<() => void> {
    if (this.#taken >= this.#options.atOnce) await new Promise<void>(resolve => this.#waiting.push(resolve));
    else this.#taken += 1;
    const over = new AbortController();
    const { clock, longest } = this.#options;
    const pass = () => this.#pass();
    void clock.sleep(longest, over.signal).then(pass, pass);
    return () => over.abort();
  }

  /** The place goes to the next, if there is one. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#taken -= 1;
  }
}
