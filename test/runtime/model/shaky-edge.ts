import type { Target } from '../../../src/domain/route.ts';
import type { AppState, TargetSink } from '../../../src/runtime/runtime.ts';
import { sleep } from '../../support/until.ts';

export type Routed = { readonly state: AppState; readonly targets: readonly Target[] };

export type EdgeEvents = {
  readonly random: () => number;
  readonly usable: (id: string) => boolean;
  /** A request waits; said again until it does no longer. */
  readonly wake: () => void;
  /** A request was broken, or answered by nobody. */
  readonly failed: (why: string) => void;
};

type Request = { readonly length: number; target: string | undefined; done: boolean };

/** The rules of the real edge without a socket: requests in flight, those that wait, and routes that arrive late. */
export class ShakyEdge {
  readonly #events: EdgeEvents;
  readonly #requests = new Set<Request>();
  readonly #waiting = new Set<Request>();
  #told: Routed | undefined;
  #toldAs = 0;
  #used: Routed = { state: { kind: 'undeployed' }, targets: [] };
  #usedAs = 0;
  #away = false;
  answered = 0;

  constructor(events: EdgeEvents) {
    this.#events = events;
  }

  get targets(): readonly string[] {
    return this.#used.targets.map(({ id }) => id);
  }

  get state(): AppState {
    return this.#used.state;
  }

  get busy(): number {
    return this.#requests.size;
  }

  uses(id: string): boolean {
    return [...this.#requests].some(({ target }) => target === id);
  }

  /** A visitor comes; the app works for `length` milliseconds. */
  async ask(length: number): Promise<void> {
    if (this.#away) return;
    const request: Request = { length, target: undefined, done: false };
    this.#requests.add(request);
    this.#place(request);
    for (let rounds = 0; this.#waiting.has(request); rounds += 1) {
      this.#events.wake();
      await sleep(10);
      if (rounds > 600) this.#fail(request, 'waited in vain');
    }
  }

  /** What one life of control knows: it tells nothing before it knows all. */
  book(): TargetSink & { complete(): Promise<void> } {
    let known: Routed | undefined;
    let complete = false;
    return {
      set: async (_, state, targets) => {
        known = { state, targets };
        if (complete) await this.#tell(known);
      },
      complete: async () => {
        complete = true;
        if (known) await this.#tell(known);
      },
      quiet: targets => complete && this.quiet(targets),
      drained: (targets, timeout) => this.drained(targets, timeout),
    };
  }

  async #tell(routed: Routed): Promise<void> {
    this.#toldAs += 1;
    const as = this.#toldAs;
    this.#told = routed;
    await this.#pause();
    if (!this.#away) this.#use(as, routed);
  }

  async drained(targets: readonly string[], timeout: number): Promise<void> {
    const end = performance.now() + timeout;
    while (performance.now() < end) {
      if (this.quiet(targets)) return;
      await sleep(2);
    }
  }

  quiet(targets: readonly string[]): boolean {
    if (this.#away || this.#usedAs !== this.#toldAs) return false;
    return targets.every(id => !this.targets.includes(id) && !this.uses(id));
  }

  /** What it had open is lost, and that alone; then it is back as it was, and hears what it missed. */
  async kill(): Promise<void> {
    this.#away = true;
    for (const request of this.#requests) request.done = true;
    this.#requests.clear();
    this.#waiting.clear();
    await this.#pause(8);
    this.#away = false;
    if (this.#told) this.#use(this.#toldAs, this.#told);
  }

  #use(as: number, routed: Routed): void {
    if (as <= this.#usedAs) return;
    this.#usedAs = as;
    this.#used = routed;
    if (routed.state.kind === 'asleep') return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) this.#place(request);
  }

  #place(request: Request): void {
    const { state, targets } = this.#used;
    if (state.kind === 'asleep') {
      this.#waiting.add(request);
      return;
    }
    const target = targets[Math.floor(this.#events.random() * targets.length)];
    if (!target) {
      this.#fail(request, `503 ${state.kind}: ${state.reason}`);
      return;
    }
    request.target = target.id;
    if (this.#events.usable(target.id)) void this.#serve(request);
    else this.#fail(request, `sent to ${target.id}, which does not answer`);
  }

  async #serve(request: Request): Promise<void> {
    await sleep(request.length);
    if (request.done) return;
    this.answered += 1;
    this.#end(request);
  }

  #fail(request: Request, why: string): void {
    this.#end(request);
    this.#events.failed(why);
  }

  #end(request: Request): void {
    request.done = true;
    this.#requests.delete(request);
    this.#waiting.delete(request);
  }

  async #pause(most = 3): Promise<void> {
    await sleep(Math.floor(this.#events.random() * (most + 1)));
  }
}
