import type { AppLoad } from '../domain/route.ts';

/** How much of an app is in use: its requests in flight, counted exactly, websockets and waiting ones included. */
export class Usage {
  inFlight = 0;
  /** Of those, how many wait for an instance. */
  waiting = 0;
  /** In flight, and count as use. */
  #used = 0;
  /** Requests in flight times milliseconds, since the last report. */
  #area = 0;
  #begun = 0;
  /** Monotonic milliseconds, all three. */
  #changedAt: number;
  #reportedAt: number;
  #usedAt: number;

  /** An app that was never asked counts as used when the edge first heard of it. */
  constructor(now: number) {
    this.#changedAt = now;
    this.#reportedAt = now;
    this.#usedAt = now;
  }

  /** @param counts whether the request is use: it keeps the app awake */
  enter(now: number, counts: boolean): void {
    this.#count(now);
    this.inFlight++;
    this.#begun++;
    if (counts) this.#used++;
  }

  leave(now: number, counts: boolean): void {
    this.#count(now);
    this.inFlight--;
    if (!counts) return;
    this.#used--;
    this.#usedAt = now;
  }

  /** What happened since the last report; undefined when nothing did, unless `always`. */
  report(app: string, { now, always }: { now: number; always: boolean }): AppLoad | undefined {
    this.#count(now);
    const time = now - this.#reportedAt;
    const silent = this.#area === 0 && this.#begun === 0 && this.inFlight === 0;
    const load: AppLoad = {
      app,
      inFlight: this.inFlight,
      waiting: this.waiting,
      mean: time > 0 ? this.#area / time : this.inFlight,
      requests: this.#begun,
      idle: this.#used > 0 ? 0 : Math.max(0, now - this.#usedAt),
    };
    this.#area = 0;
    this.#begun = 0;
    this.#reportedAt = now;
    return silent && !always ? undefined : load;
  }

  #count(now: number): void {
    this.#area += this.inFlight * (now - this.#changedAt);
    this.#changedAt = now;
  }
}
