import type { AppLoad } from '../domain/route.ts';

type Count = { readonly current: number; readonly total: number };
type Known = Count & { readonly usedAt: number };

/** Turns counts that only grow, and those of now, into what the apps' requests were since the last look. */
export class Tally {
  #known = new Map<string, Known>();

  /** Counts begin here for apps that are new. A lane that passed from another app has its counts. */
  meet(counts: ReadonlyMap<string, Count>, now: number): void {
    for (const [app, count] of counts)
      if (!this.#known.has(app)) this.#known.set(app, { ...count, usedAt: now });
  }

  /** @param now monotonic milliseconds @returns the apps that had requests, or have some */
  take(counts: ReadonlyMap<string, Count>, now: number): AppLoad[] {
    const before = this.#known;
    this.#known = new Map();
    return [...counts].flatMap(([app, count]) => {
      const known = before.get(app);
      const requests = known ? Math.max(0, count.total - known.total) : 0;
      const used = requests > 0 || count.current > 0;
      const usedAt = used || !known ? now : known.usedAt;
      this.#known.set(app, { ...count, usedAt });
      if (!used) return [];
      const load: AppLoad = {
        app,
        inFlight: count.current,
        waiting: 0,
        mean: (count.current + (known?.current ?? 0)) / 2,
        requests,
        idle: count.current > 0 ? 0 : now - usedAt,
      };
      return [load];
    });
  }
}
