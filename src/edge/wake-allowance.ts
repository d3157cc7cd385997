/** Sleeping apps that one visitor may wake at once; further ones follow one a second. */
const burst = 50;
const perSecond = 1;

/** Bounds how many apps one visitor wakes, so that a scan of all names does not wake all apps. */
export class WakeAllowance {
  readonly #used = new Map<string, number>();

  /** Takes one wake from the visitor's allowance. @returns false when none is left for now */
  take(visitor: string): boolean {
    const used = this.#used.get(visitor) ?? 0;
    if (used >= burst) return false;
    this.#used.set(visitor, used + 1);
    return true;
  }

  /** Gives back what a second gives. */
  everySecond(): void {
    for (const [visitor, used] of this.#used)
      if (used > perSecond) this.#used.set(visitor, used - perSecond);
      else this.#used.delete(visitor);
  }
}
