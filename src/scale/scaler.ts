import { WherryError } from '../domain/errors.ts';
import type { AppLoad, WakeCause } from '../domain/route.ts';
import type { Fleet, Group } from './fleet.ts';
import {
  type Decision,
  decide,
  isBurst,
  panicHold,
  panicSpan,
  patience,
  type Signal,
  stableSpan,
  wanted,
} from './rules.ts';
import { type Idle, pressedOut, victims } from './victims.ts';
import { Window } from './window.ts';

export type ScalerOptions = {
  readonly fleet: Fleet;
  readonly now: () => number;
  /** Whether the host's processors are short at the moment. */
  readonly saturated: () => boolean;
  /** Whether the host is short of memory at the moment. */
  readonly pressed: () => boolean;
  /** Tells of what went wrong; the loop goes on. */
  readonly failed: (app: string, error: unknown) => void;
};

export type Explanation = {
  readonly group: Group;
  readonly decision: Decision;
  readonly signal: Signal;
};

/** Decides once a second how many instances each app that scales by itself has, and which sleep. */
export class Scaler {
  readonly #options: ScalerOptions;
  readonly #apps = new Map<string, History>();
  /** Of each app; one thing is done to an app at a time. */
  readonly #doing = new Set<string>();
  /** Who gives its memory back in this second. One a second: the next when that did not help. */
  #pressedOut: string | undefined;

  constructor(options: ScalerOptions) {
    this.#options = options;
  }

  /** What the edge counted in the last second. */
  load(loads: readonly AppLoad[]): void {
    const now = this.#options.now();
    for (const load of loads) this.#history(load.app).load(load, now);
  }

  /** A request waits. A failure is told to visitors by whoever owns the app's route. */
  async wake(app: string, cause: WakeCause): Promise<void> {
    try {
      await this.#options.fleet.wake(app, cause);
    } catch (error) {
      if (!(error instanceof WherryError)) this.#options.failed(app, error);
    }
  }

  /** Call once a second. Resolves when what was decided is done. */
  async tick(): Promise<void> {
    const groups = this.#options.fleet.groups();
    const known = new Set(groups.map(({ app }) => app));
    for (const app of this.#apps.keys()) if (!known.has(app)) this.#apps.delete(app);
    this.#pressedOut = this.#options.pressed() ? pressedOut(this.#idle(groups)) : undefined;
    await Promise.all(groups.map(group => this.#consider(group)));
  }

  /** Takes memory back from an app that nobody uses: spare instances first, then by sleep. @returns whether there was one */
  async makeRoom(not: string): Promise<boolean> {
    const others = this.#options.fleet.groups().filter(group => group.app !== not && !group.held);
    for (const { group, act } of victims(this.#idle(others))) {
      this.#doing.add(group.app);
      try {
        if (await act(this.#options.fleet)) return true;
      } catch (error) {
        if (!(error instanceof WherryError)) this.#options.failed(group.app, error);
      } finally {
        this.#doing.delete(group.app);
      }
    }
    return false;
  }

  /** Why an app is at its number; undefined when it does not scale by itself. */
  explain(app: string): Explanation | undefined {
    const group = this.#options.fleet.groups().find(each => each.app === app);
    if (!group) return undefined;
    const signal = this.#signal(app);
    return { group, signal, decision: decide(group, signal) };
  }

  async #consider(group: Group): Promise<void> {
    const { app } = group;
    const history = this.#history(app);
    history.want(group, this.#options.now());
    if (this.#doing.has(app)) return;
    const decision = decide(group, this.#signal(app));
    if (decision.kind === 'keep') return;
    this.#doing.add(app);
    try {
      await this.#act(group, decision, history);
    } catch (error) {
      if (!(error instanceof WherryError && error.code === 'locked')) this.#options.failed(app, error);
    } finally {
      this.#doing.delete(app);
    }
  }

  async #act(group: Group, decision: Decision, history: History): Promise<void> {
    const { fleet, now } = this.#options;
    if (decision.kind === 'sleep') await fleet.sleep(group.app, decision.depth, decision.why);
    if (decision.kind !== 'resize') return;
    // Also when it fails: the next try comes after a while.
    if (decision.count > group.count) history.grownAt = now();
    else history.shrunkAt = now();
    await fleet.resize(group.app, decision.count, decision.why);
  }

  /** With what is known of them; without those that something is being done to. */
  #idle(groups: readonly Group[]): Idle[] {
    const free = groups.filter(({ app }) => !this.#doing.has(app));
    return free.map(group => ({ group, signal: this.#signal(group.app) }));
  }

  #signal(app: string): Signal {
    const pressed = this.#pressedOut === app;
    return { ...this.#history(app).signal(this.#options), pressed };
  }

  #history(app: string): History {
    const known = this.#apps.get(app);
    if (known) return known;
    const made = new History(this.#options.now());
    this.#apps.set(app, made);
    return made;
  }
}

/** What was of one app in the last minutes. An app of which nothing was heard is taken as used when it became known. */
class History {
  grownAt = Number.NEGATIVE_INFINITY;
  shrunkAt = Number.NEGATIVE_INFINITY;
  #panicUntil = 0;
  #inFlight = 0;
  #usedAt: number;
  readonly #loads = new Window(stableSpan);
  readonly #wants = new Window(patience);

  constructor(now: number) {
    this.#usedAt = now;
  }

  load(load: AppLoad, now: number): void {
    this.#inFlight = load.inFlight;
    this.#usedAt = now - load.idle;
    this.#loads.add(now, load.mean);
  }

  /** Notes what this second asks for. The edge leaves out apps without requests: then it is none. */
  want(group: Group, now: number): void {
    if (!this.#loads.has(now - 1500)) {
      this.#inFlight = 0;
      this.#loads.add(now, 0);
    }
    const panic = this.#loads.mean(now, panicSpan);
    const most = Math.max(panic, this.#loads.mean(now, stableSpan));
    this.#wants.add(now, wanted(most, group.rules.target));
    if (isBurst(group, panic)) this.#panicUntil = now + panicHold;
  }

  signal({ now: clock, saturated }: ScalerOptions): Omit<Signal, 'pressed'> {
    const now = clock();
    return {
      now,
      stable: this.#loads.mean(now, stableSpan),
      panic: this.#loads.mean(now, panicSpan),
      inFlight: this.#inFlight,
      idle: this.#inFlight > 0 ? 0 : now - this.#usedAt,
      mostWanted: this.#wants.largest(now, patience),
      grownAt: this.grownAt,
      shrunkAt: this.shrunkAt,
      panicUntil: this.#panicUntil,
      saturated: saturated(),
    };
  }
}
