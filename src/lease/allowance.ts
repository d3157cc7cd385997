/** Requests that an app may make at once; further ones follow one a second. */
const burst = 20;

/** Bounds how often one app is listened to. */
export class Allowance {
  #left = burst;
  #at: number;

  /** @param ticks monotonic milliseconds */
  constructor(ticks: number) {
    this.#at = ticks;
  }

  take(ticks: number): boolean {
    this.#left = Math.min(burst, this.#left + (ticks - this.#at) / 1000);
    this.#at = ticks;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
