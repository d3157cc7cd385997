import type { StopSignal } from '../../../src/domain/image.ts';
import type { InstanceSpec } from '../../../src/engine/engine.ts';
import type { Behaviour } from '../../../src/engine/fake/behaviour.ts';
import { FakeEngine } from '../../../src/engine/fake/fake-engine.ts';
import { sleep } from '../../support/until.ts';

/** What was done to a process that somebody may still be using. */
export type Harm = 'frozen' | 'told to end' | 'removed';

export type ShakyOptions = {
  readonly random: () => number;
  readonly number: number;
  readonly behave: (spec: InstanceSpec) => Behaviour;
  readonly harmed: (id: string, how: Harm) => void;
};

/** An engine that is never done at once, and that ends processes as slowly as the kernel does. */
export class ShakyEngine extends FakeEngine {
  readonly #random: () => number;
  readonly #harmed: ShakyOptions['harmed'];
  /** Of frozen ones: a signal comes through when they thaw. */
  readonly #pending = new Map<string, (StopSignal | 'SIGKILL')[]>();
  readonly #usable = new Set<string>();
  /** How often each was started: a signal is for one run. */
  readonly #runs = new Map<string, number>();

  constructor({ random, number, behave, harmed }: ShakyOptions) {
    super({ behave, number });
    this.#random = random;
    this.#harmed = harmed;
  }

  /** Whether a request to it would be answered: it runs, and nobody told it to end. */
  usable(id: string): boolean {
    return this.#usable.has(id) && !this.#pending.has(id);
  }

  /** It ends by itself. */
  async crash(id: string): Promise<void> {
    this.#usable.delete(id);
    await super.signal(id, 'SIGKILL').catch(() => {});
  }

  override async start(id: string): Promise<void> {
    if (!(await this.#runsNow(id))) this.#runs.set(id, (this.#runs.get(id) ?? 0) + 1);
    await super.start(id);
    this.#usable.add(id);
    await this.#pause();
  }

  override async signal(id: string, signal: StopSignal | 'SIGKILL'): Promise<void> {
    const frozen = this.#pending.get(id);
    if (frozen) frozen.push(signal);
    else await this.#end(id, signal);
  }

  override async freeze(id: string): Promise<void> {
    await super.freeze(id);
    this.#harmed(id, 'frozen');
    this.#pending.set(id, []);
    await this.#pause();
  }

  override async thaw(id: string): Promise<void> {
    const signals = this.#pending.get(id) ?? [];
    this.#pending.delete(id);
    await super.thaw(id);
    for (const signal of signals) await this.#end(id, signal);
    await this.#pause();
  }

  override async remove(id: string): Promise<void> {
    if (this.#usable.delete(id)) this.#harmed(id, 'removed');
    this.#pending.delete(id);
    await super.remove(id);
  }

  async #runsNow(id: string): Promise<boolean> {
    return (await this.stats(id)).pids > 0;
  }

  async #end(id: string, signal: StopSignal | 'SIGKILL'): Promise<void> {
    if (this.#usable.delete(id)) this.#harmed(id, 'told to end');
    const run = this.#runs.get(id);
    // An app takes its time to end.
    void this.#pause(8).then(async () => {
      if (this.#runs.get(id) === run) await super.signal(id, signal).catch(() => {});
    });
  }

  async #pause(most = 3): Promise<void> {
    const ms = Math.floor(this.#random() * (most + 1));
    if (ms > 0) await sleep(ms);
  }
}
