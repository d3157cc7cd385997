import { WherryError } from '../domain/errors.ts';
import type { SleepDepth } from '../domain/scaling.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { deadline } from '../system/deadline.ts';
import { faultPoint } from '../system/fault.ts';
import { dynoOf, type Member } from './member.ts';

/** What sleeping needs of the instances' supervisor. */
export type Bed = {
  readonly engine: Engine;
  readonly clock: Clock;
  /** Milliseconds between the request to end and SIGKILL. */
  readonly stopTimeout: number;
  /** All but those that are on their way out. */
  members(): readonly Member[];
  /** Tells the edge who serves now. */
  publish(): Promise<void>;
  /** Whether the edge has taken that, and has no request of these members in flight. */
  quiet(members: readonly Member[]): boolean;
  /** Starts an ended instance; resolves when it is ready. @throws WherryError whose message goes on after its name */
  rouse(member: Member): Promise<void>;
  /** Waits until the host has the memory that these may use. @returns what ends the reservation @throws unavailable */
  admit(members: readonly Member[]): Promise<() => void>;
  /** Watches over a member that runs. */
  watch(member: Member): void;
  /** Remembers how the app sleeps, over restarts of control. */
  note(depth: SleepDepth | undefined): void;
};

/** Milliseconds until a start that failed is tried again, by how often it has failed in a row. */
const pauses = [5000, 15_000, 60_000, 180_000, 600_000];

/** Milliseconds that an app may still take to stop when a visitor waits for it to start again. */
const hurriedStop = 1000;

/** Why an app that sleeps does not come up, and until when, in ticks, nobody tries again. */
type Failure = { readonly why: string; readonly until: number; readonly times: number };

/** Bytes that freezing gave back to the host since control started; a failure costs nothing but memory. */
export type Reclaimed = { readonly bytes: number; readonly failures: number };

/** Puts an app's instances to sleep and wakes them: never one with a request in flight, and each way once at a time. */
export class Slumber {
  readonly #bed: Bed;
  #sleeping: Promise<boolean> = Promise.resolve(false);
  #waking: Promise<void> | undefined;
  #failure: Failure | undefined;
  #reclaimed: Reclaimed = { bytes: 0, failures: 0 };
  /** Aborted when somebody waits for what is just being stopped. */
  #hurry = new AbortController();

  constructor(bed: Bed) {
    this.#bed = bed;
  }

  get depth(): SleepDepth | undefined {
    const web = this.#bed.members().filter(member => member.type === 'web');
    if (this.#waking && !web.some(member => member.serving)) return 'deep';
    if (web.length === 0 || web.some(member => member.status !== 'asleep')) return undefined;
    return web.some(member => member.frozen) ? 'light' : 'deep';
  }

  /** Why it is not being woken at the moment; undefined when a request may wake it. */
  get trouble(): string | undefined {
    return this.#failure && this.#failure.until > this.#bed.clock.ticks() ? this.#failure.why : undefined;
  }

  get reclaimed(): Reclaimed {
    return this.#reclaimed;
  }

  /** A new release: what failed was the old one. */
  forgive(): void {
    this.#failure = undefined;
  }

  /** @returns false, with all as before, when a request is in flight or an instance is not in a state to sleep */
  sleep(depth: SleepDepth, types: ReadonlySet<string>): Promise<boolean> {
    this.#sleeping = this.#sleeping.catch(() => false).then(() => this.#settle(depth, types));
    return this.#sleeping;
  }

  /** Goes on with a deep sleep that a death of control cut off: whoever still runs may have been told to end. */
  resume(members: readonly Member[]): void {
    this.#hurry = new AbortController();
    this.#sleeping = Promise.all(members.map(member => this.#stop(member))).then(() => true);
    this.#sleeping.catch(() => {});
  }

  /** @throws WherryError when it does not start */
  wake(): Promise<void> {
    this.#hurry.abort();
    this.#waking ??= this.#rouseAll().finally(() => {
      this.#waking = undefined;
    });
    return this.#waking;
  }

  async #settle(depth: SleepDepth, types: ReadonlySet<string>): Promise<boolean> {
    const { members, note, publish, quiet } = this.#bed;
    if (this.#waking) return false;
    this.#hurry = new AbortController();
    const going = members().filter(member => types.has(member.type));
    if (this.depth === 'light' && depth === 'deep') {
      note(depth);
      await Promise.all(going.filter(({ frozen }) => frozen).map(member => this.#stop(member)));
      return true;
    }
    const web = going.filter(member => member.type === 'web');
    const able = going.every(member => member.status === 'running');
    if (this.depth !== undefined || web.length === 0 || !able) return false;
    for (const member of going) this.#lay(member);
    await publish();
    // Somebody may have come in this very moment.
    if (this.#hurry.signal.aborted || !quiet(web)) {
      for (const member of going) this.#raise(member);
      await publish();
      return false;
    }
    note(depth);
    await faultPoint('sleep:noted');
    if (depth === 'light') await Promise.all(going.map(member => this.#freeze(member)));
    else await Promise.all(going.map(member => this.#stop(member)));
    await faultPoint('sleep:done');
    return true;
  }

  #lay(member: Member): void {
    member.status = 'asleep';
    member.serving = false;
  }

  #raise(member: Member): void {
    if (member.status !== 'asleep') return;
    member.status = 'running';
    member.frozen = false;
    member.serving = member.type === 'web' && !member.unwatched;
    // It ended meanwhile.
    if (member.unwatched) this.#bed.watch(member);
  }

  async #freeze(member: Member): Promise<void> {
    member.since = this.#bed.clock.now();
    try {
      await this.#bed.engine.freeze(member.id);
      member.frozen = true;
    } catch {
      // It ended in this very moment: then it sleeps as one that was stopped.
      member.frozen = false;
      return;
    }
    // Nobody waits for it: a wake that comes meanwhile ends it.
    void this.#reclaim(member);
  }

  async #reclaim(member: Member): Promise<void> {
    try {
      const freed = await this.#bed.engine.reclaim(member.id);
      this.#reclaimed = { ...this.#reclaimed, bytes: this.#reclaimed.bytes + freed };
    } catch {
      // Awake again or removed, there is nothing to be given back.
      if (member.frozen && member.status === 'asleep')
        this.#reclaimed = { ...this.#reclaimed, failures: this.#reclaimed.failures + 1 };
    }
  }

  /** Ends it for a deep sleep; its file system, network and place stay. */
  async #stop(member: Member): Promise<void> {
    const { engine, clock, stopTimeout } = this.#bed;
    renew(member, 'put to sleep');
    await engine.signal(member.id, member.stopSignal);
    if (member.frozen) await engine.thaw(member.id).catch(() => {});
    member.frozen = false;
    const late = new AbortController();
    const hurried = () =>
      void clock.sleep(hurriedStop, late.signal).then(
        () => late.abort(),
        () => {},
      );
    if (this.#hurry.signal.aborted) hurried();
    else this.#hurry.signal.addEventListener('abort', hurried, { once: true });
    await engine
      .wait(member.id, AbortSignal.any([deadline(stopTimeout), late.signal]))
      .catch(() => engine.signal(member.id, 'SIGKILL'));
    late.abort();
    await engine.wait(member.id, AbortSignal.timeout(stopTimeout)).catch(() => {});
    member.since = clock.now();
  }

  async #rouseAll(): Promise<void> {
    await this.#sleeping.catch(() => false);
    const asleep = this.#bed.members().filter(member => member.status === 'asleep');
    if (asleep.length === 0) return;
    const { trouble } = this;
    if (trouble !== undefined) throw new WherryError('unavailable', `It does not start: ${trouble}.`);
    const web = asleep.filter(member => member.type === 'web');
    const admitted = await this.#admit(asleep.filter(member => !member.frozen));
    const attempts = web.map(member => this.#rouse(member));
    try {
      await Promise.any(attempts);
    } catch {
      await this.#fail(web, await Promise.allSettled(attempts));
      return;
    } finally {
      admitted();
    }
    this.#failure = undefined;
    const others = asleep.filter(member => member.type !== 'web');
    for (const member of others) attempts.push(this.#rouse(member));
    for (const [at, member] of [...web, ...others].entries())
      attempts[at]?.catch(() => this.#tryAgain(member));
  }

  async #admit(members: readonly Member[]): Promise<() => void> {
    try {
      return await this.#bed.admit(members);
    } catch (error) {
      throw await this.#refuse(error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
    }
  }

  async #rouse(member: Member): Promise<void> {
    const { engine, publish, watch, rouse, note, clock } = this.#bed;
    if (member.frozen && (await thawed(engine, member))) this.#raise(member);
    else {
      if (isLetGo(member)) return;
      // Whoever watched it asleep must not take its end for a crash.
      renew(member, 'woken');
      member.frozen = false;
      member.status = 'starting';
      await rouse(member);
      if (isLetGo(member)) return;
      member.status = 'running';
      member.serving = member.type === 'web';
      watch(member);
    }
    member.since = clock.now();
    if (member.type !== 'web') return;
    await faultPoint('wake:ready');
    // Before it gets requests: it must not be stopped under them by a control that takes it for asleep.
    note(undefined);
    await publish();
  }

  /** One that does not start while another serves is restarted as one that crashed. */
  #tryAgain(member: Member): void {
    if (member.status === 'starting') this.#bed.watch(member);
  }

  /** @throws WherryError why none starts; nothing when they have all been let go of meanwhile */
  async #fail(web: readonly Member[], ended: readonly PromiseSettledResult<void>[]): Promise<void> {
    if (web.every(isLetGo)) return;
    for (const member of web) if (member.status === 'starting') member.status = 'asleep';
    const why = ended.flatMap((result, at) =>
      result.status === 'rejected' && web[at] ? `${dynoOf(web[at])} ${words(result.reason)}` : [],
    );
    throw await this.#refuse(why[0] ?? 'it has no web process');
  }

  /** Tells visitors why, and lets nobody try for a while. */
  async #refuse(why: string): Promise<WherryError> {
    const { clock, publish } = this.#bed;
    const times = (this.#failure?.times ?? 0) + 1;
    const pause = pauses[Math.min(times, pauses.length) - 1] ?? 0;
    const failure = { why, until: clock.ticks() + pause, times };
    this.#failure = failure;
    await publish();
    void clock.sleep(pause).then(() => this.#allow(failure));
    throw new WherryError('check-failed', `It does not start: ${failure.why}.`);
  }

  /** From now on a request may wake it again. */
  async #allow(failure: Failure): Promise<void> {
    if (this.#failure !== failure) return;
    this.#failure = { ...failure, until: 0 };
    await this.#bed.publish();
  }
}

/** Ends whatever waits for it; what follows waits anew. */
function renew(member: Member, why: string): void {
  member.life.abort(new Error(why));
  member.life = new AbortController();
}

/** A deploy or a stop took it away meanwhile. */
function isLetGo(member: Member): boolean {
  return member.status === 'stopping';
}

function words(error: unknown): string {
  return error instanceof WherryError ? error.message : `could not be started (${String(error)})`;
}

async function thawed(engine: Engine, member: Member): Promise<boolean> {
  try {
    await engine.thaw(member.id);
    return true;
  } catch {
    // It ended while it was frozen.
    return false;
  }
}
