import type { Snapshot, Target } from '../domain/route.ts';
import { Pool } from './pool.ts';

/** The pools of all targets, by instance id: kept over snapshots, retired when a snapshot leaves them out. */
export class Targets {
  readonly #live = new Map<string, Pool>();
  readonly #retired = new Map<string, Pool>();
  readonly #onDrained: (target: string) => void;

  constructor(onDrained: (target: string) => void) {
    this.#onDrained = onDrained;
  }

  get pools(): ReadonlyMap<string, Pool> {
    return this.#live;
  }

  /** Targets that are in no snapshot any more and have requests in flight. */
  draining(): string[] {
    return [...this.#retired.keys()];
  }

  /** Makes the pools those of the snapshot. Returns what puts the others to rest: to be called once the new table is in use. */
  sync(snapshot: Snapshot): () => void {
    const wanted = new Set<string>();
    for (const route of snapshot.routes)
      for (const target of route.targets) {
        wanted.add(target.id);
        this.#keep(target);
      }
    const gone = [...this.#live.values()].filter(pool => !wanted.has(pool.target.id));
    return () => {
      for (const pool of gone) this.#retire(pool);
    };
  }

  sweep(now: number): void {
    for (const pool of this.#live.values()) pool.sweep(now);
  }

  closeIdle(): void {
    for (const pool of this.#live.values()) pool.closeIdle();
  }

  #keep(target: Target): void {
    const known = this.#live.get(target.id) ?? this.#retired.get(target.id);
    this.#retired.delete(target.id);
    const same = known?.target.host === target.host && known.target.port === target.port;
    if (known && same) {
      known.retired = false;
      this.#live.set(target.id, known);
    } else {
      if (known) {
        known.retired = true;
        known.closeIdle();
      }
      this.#live.set(target.id, new Pool(target, pool => this.#quiet(pool)));
    }
  }

  #retire(pool: Pool): void {
    pool.retired = true;
    pool.closeIdle();
    this.#live.delete(pool.target.id);
    if (pool.inFlight > 0) this.#retired.set(pool.target.id, pool);
    else this.#onDrained(pool.target.id);
  }

  #quiet(pool: Pool): void {
    if (this.#retired.get(pool.target.id) !== pool) return;
    this.#retired.delete(pool.target.id);
    this.#onDrained(pool.target.id);
  }
}
