import type { Clock } from '../system/clock.ts';

export type TurnsOptions = {
  /** Who have their turn at the same time. */
  readonly atOnce: number;
  /** Milliseconds after which a turn counts no longer: whoever is that slow waits for something else than a processor. */
  readonly longest: number;
  readonly clock: Clock;
};

/** Of those whom visitors wait for: before all that merely should run. */
export const awaited = -1;

/**
 * Lets those who come at once begin a few at a time, the lowest rank first, then who came first: of many apps that boot side by side,
 * all are as late as the last.
 */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #waiting: { readonly rank: number; readonly begin: () => void }[] = [];
  #taken = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Resolves when it is one's turn, with the way to end it. */
  async take(rank: number): Promise<() => void> {
    if (this.#taken >= this.#options.atOnce) await this.#queue(rank);
    else this.#taken += 1;
    const over = new AbortController();
    const { clock, longest } = this.#options;
    const pass = () => this.#pass();
    void clock.sleep(longest, over.signal).then(pass, pass);
    return () => over.abort();
  }

  #queue(rank: number): Promise<void> {
    return new Promise(begin => {
      const behind = this.#waiting.findIndex(other => other.rank > rank);
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, { rank, begin });
    });
  }

  /** The place goes to the next, if there is one. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next.begin();
    else this.#taken -= 1;
  }
}
