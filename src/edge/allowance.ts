export type AllowanceSize = {
  /** What one visitor may do at once. */
  readonly burst: number;
  /** How much of it comes back in a second. */
  readonly perSecond: number;
};

/** Bounds how often one visitor does something that costs much. */
export class Allowance {
  readonly #size: AllowanceSize;
  readonly #used = new Map<string, number>();

  constructor(size: AllowanceSize) {
    this.#size = size;
  }

  /** Takes one from the visitor's allowance. @returns false when none is left for now */
  take(visitor: string): boolean {
    const used = this.#used.get(visitor) ?? 0;
    if (used >= this.#size.burst) return false;
    this.#used.set(visitor, used + 1);
    return true;
  }

  /** It cost nothing after all. */
  giveBack(visitor: string): void {
    this.#free(visitor, 1);
  }

  /** Gives back what a second gives. */
  everySecond(): void {
    for (const visitor of this.#used.keys()) this.#free(visitor, this.#size.perSecond);
  }

  #free(visitor: string, count: number): void {
    const used = this.#used.get(visitor) ?? 0;
    if (used > count) this.#used.set(visitor, used - count);
    else this.#used.delete(visitor);
  }
}
