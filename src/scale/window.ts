/** Means of a value over the last seconds, from one sample a second. */
export class Window {
  readonly #samples: { readonly at: number; readonly value: number }[] = [];
  readonly #length: number;

  /** @param length milliseconds that are remembered */
  constructor(length: number) {
    this.#length = length;
  }

  add(at: number, value: number): void {
    this.#samples.push({ at, value });
    while (this.#samples[0] && this.#samples[0].at <= at - this.#length) this.#samples.shift();
  }

  /** Whether there is a sample since then. */
  has(since: number): boolean {
    return (this.#samples.at(-1)?.at ?? Number.NEGATIVE_INFINITY) > since;
  }

  /** The mean of the samples of the last `span` milliseconds; 0 without any. Seconds without a sample are left out. */
  mean(now: number, span: number): number {
    const recent = this.#recent(now, span);
    return recent.length === 0 ? 0 : recent.reduce((sum, sample) => sum + sample.value, 0) / recent.length;
  }

  /** The largest sample of the last `span` milliseconds; 0 without any. */
  largest(now: number, span: number): number {
    return Math.max(0, ...this.#recent(now, span).map(sample => sample.value));
  }

  #recent(now: number, span: number) {
    return this.#samples.filter(sample => sample.at > now - span);
  }
}
