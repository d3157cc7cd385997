import { formatBytes } from '../domain/bytes.ts';
import { WherryError } from '../domain/errors.ts';

/** The host's memory: what may be promised, what is, and who could give some back. */
export type RoomOptions = {
  /** Bytes that may be promised together. */
  readonly budget: () => number;
  /** Bytes promised to what runs. */
  readonly used: () => number;
  /** Gives back memory of an app that nobody uses. @returns false when there is none that could */
  readonly makeRoom: (not: string) => Promise<boolean>;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly now: () => number;
};

/** What is to be started; the same as the runtime and the builder ask with. */
export type Need = {
  readonly app: string;
  readonly bytes: number;
  /** Milliseconds to wait for others to give memory back. */
  readonly patience: number;
  /** Lets those go first who do not yield: visitors wait for them. */
  readonly yields?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told once, if it must wait. */
  readonly onWait?: (why: string) => void;
};

/** Lets things start that the host has memory for, in the order they came: reservations together never exceed the budget. */
export class Room {
  readonly #options: RoomOptions;
  /** Of what is being started, until it counts as used. */
  readonly #pending = new Set<Need>();
  readonly #waiting: Need[] = [];

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Bytes that may be promised together. */
  get budget(): number {
    return this.#options.budget();
  }

  /** Bytes that are promised. */
  get taken(): number {
    return this.#options.used() + [...this.#pending].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Waits for memory; idle apps are put to sleep for it, never one in use.
   * @returns what gives the reservation back once the instances are there, or gone @throws unavailable when there is none in time
   */
  async take(need: Need): Promise<() => void> {
    if (need.bytes > 0 && !this.#fits(need)) await this.#wait(need);
    this.#pending.add(need);
    return () => void this.#pending.delete(need);
  }

  #fits(need: Need): boolean {
    return this.#isNext(need) && this.taken + need.bytes <= this.#options.budget();
  }

  #isNext(need: Need): boolean {
    const at = this.#waiting.indexOf(need);
    const ahead = this.#waiting.slice(0, at < 0 ? this.#waiting.length : at);
    const others = need.yields ? this.#waiting.filter(other => other !== need && !other.yields) : [];
    return !ahead.some(other => need.yields || !other.yields) && others.length === 0;
  }

  async #wait(need: Need): Promise<void> {
    const { budget, makeRoom, sleep, now } = this.#options;
    if (need.bytes > budget()) throw this.#refusal(need);
    this.#waiting.push(need);
    const deadline = now() + need.patience;
    try {
      for (let told = false; !this.#fits(need); ) {
        need.signal?.throwIfAborted();
        if (this.#isNext(need) && (await makeRoom(need.app))) continue;
        if (this.#fits(need)) return;
        if (now() >= deadline) throw this.#refusal(need);
        if (!told) need.onWait?.(`Waiting for memory: ${this.#numbers(need)}`);
        told = true;
        await sleep(100, need.signal);
      }
    } finally {
      this.#waiting.splice(this.#waiting.indexOf(need), 1);
    }
  }

  #numbers(need: Need): string {
    const budget = this.#options.budget();
    const free = Math.max(0, budget - this.taken);
    return `${need.app} needs ${formatBytes(need.bytes)}, and of the ${formatBytes(budget)} for apps and builds ${formatBytes(free)} are free`;
  }

  #refusal(need: Need): WherryError {
    return new WherryError(
      'unavailable',
      `The host is short of memory: ${this.#numbers(need)}. Lower a limit with resource:limit, let apps sleep with autoscale:set APP min=0, or see host:report.`,
    );
  }
}
