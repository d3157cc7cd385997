import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import type { ProcessType } from '../domain/names.ts';
import { type AppNetworks, namedOn, namelessOn } from '../domain/network.ts';
import type { Progress } from '../domain/push.ts';
import { areSameLimits, type Limits } from '../domain/quota.ts';
import type { SleepDepth } from '../domain/scaling.ts';
import { whyLeft } from '../domain/upkeep.ts';
import type { Engine, Exit, Instance, Mount } from '../engine/engine.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import type { Log } from '../system/log.ts';
import { settleAll, throwFirst } from '../system/parallel.ts';
import { backOff, howItEnded, remedy } from './exits.ts';
import { untilUnhealthy, watchedChecks } from './health-watch.ts';
import { byGeneration, dynoOf, type Member, memberOf, promisedBy, specFor } from './member.ts';
import { prove, untilReady } from './prove.ts';
import { isRefused } from './ready.ts';
import type {
  AppState,
  DeployOptions,
  DeployTimes,
  Desired,
  MemoryNeed,
  ScaleOptions,
  TargetSink,
} from './runtime.ts';
import { type Reclaimed, Slumber } from './slumber.ts';
import { awaited, type Turns } from './turns.ts';
import { wavesOf } from './waves.ts';

export type SupervisorOptions = {
  readonly engine: Engine;
  readonly sink: TargetSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly logsDir: string;
  readonly mounts: (app: App, type: ProcessType) => Promise<readonly Mount[]>;
  readonly networks: (app: App) => AppNetworks;
  readonly random: () => number;
  /** Of all apps that wake. */
  readonly turns: Turns;
  /** Milliseconds a web process may take to become ready. */
  readonly readyTimeout: number;
  /** Milliseconds that requests in flight may take to end. */
  readonly drainTimeout: number;
  /** Milliseconds between the request to end and SIGKILL. */
  readonly stopTimeout: number;
  /** Tells people: the app's log and its events. */
  readonly tell: (app: App, kind: 'crash' | 'oom' | 'recovered' | 'check', message: string) => void;
  /** The app's last output of one instance, for whoever waits for a deploy. */
  readonly lastWords: (logFile: string) => Promise<readonly string[]>;
  /** Waits until the host has the memory; resolves to what ends the reservation once it counts as used. @throws unavailable */
  readonly admit: (need: MemoryNeed) => Promise<() => void>;
  /** Remembers how an app sleeps, for `Desired.asleep` after a restart of control. */
  readonly noteSleep: (app: App, depth: SleepDepth | undefined) => void;
};

/** More starts in parallel than this make each of them slower. */
const startsAtOnce = 4;
/** Milliseconds to wait for memory of the host. */
const memoryPatience = 25_000;
/** A process that ran this long, in milliseconds, starts its back-off anew. */
const wellAfter = 600_000;

/**
 * Keeps one app's instances as they are desired. Deploy, scale and stop come one at a time (the caller holds the app's lock);
 * ends and restarts come at any time in between.
 */
export class Supervisor {
  readonly members = new Map<string, Member>();
  readonly #options: SupervisorOptions;
  #app: App;
  #desired: Desired | undefined;
  #stopped = false;
  /** When many have to start: after how many others. */
  #rank = 0;
  #destroyed = false;
  /** Instances of a sleeping app that are being made anew. */
  #laying = 0;
  /** Too many, or left by a switch that was cut off; they serve until those that should be there do. */
  readonly #strays = new Set<Member>();
  /** Being brought up by a deploy or a scale that may still fail. */
  readonly #fresh = new Set<Member>();
  readonly #ends = new WeakMap<Member, Promise<void>>();
  readonly #background = new Set<Promise<void>>();
  readonly #slumber: Slumber;

  constructor(app: App, options: SupervisorOptions) {
    this.#app = app;
    this.#options = options;
    const stopTimeout = () => this.#stopTimeout();
    this.#slumber = new Slumber({
      ...options,
      get stopTimeout() {
        return stopTimeout();
      },
      members: () => this.#living().filter(member => !this.#fresh.has(member)),
      publish: () => this.#present(),
      quiet: members => options.sink.quiet(members.map(({ id }) => id)),
      rouse: member => this.#rouse(member),
      admit: members =>
        this.#admit(
          members.reduce((sum, { promised }) => sum + promised, 0),
          {},
        ),
      watch: member => this.#inBackground(this.#keep(member, 'watch')),
      note: depth => options.noteSleep(this.#app, depth),
    });
  }

  get app(): App {
    return this.#app;
  }

  /** Bytes that its instances may use together now. */
  get reserved(): number {
    const held = this.#living().filter(member => member.status !== 'asleep' || member.frozen);
    const sum = held.reduce((total, { promised }) => total + promised, 0);
    return Math.min(sum, this.#desired?.quota.memory ?? Number.POSITIVE_INFINITY);
  }

  get asleep(): SleepDepth | undefined {
    return this.#stopped ? undefined : this.#slumber.depth;
  }

  get reclaimed(): Reclaimed {
    return this.#slumber.reclaimed;
  }

  /** Takes over what runs of this app after control was away, and brings up what is missing. */
  async recover(known: Desired, found: readonly Instance[], rank: number): Promise<void> {
    this.#rank = rank;
    const desired = isWaking(known, found) ? { ...known, asleep: undefined } : known;
    this.#app = desired.app;
    this.#desired = desired;
    this.#stopped = desired.app.stopped;
    const adopted: [Member, Instance][] = [];
    for (const instance of byGeneration(found, desired)) {
      const member = memberOf(instance, this.#options.clock.now());
      member.promised = Math.min(member.memoryLimit, promisedBy(desired, member.type));
      if (this.#fits(member, instance, desired)) adopted.push([this.#hold(member, instance), instance]);
      // It never ran, so it has no end to wait for.
      else if (instance.status.kind === 'created') await this.#options.engine.remove(instance.id);
      else this.#strays.add(this.#hold(member, instance));
    }
    await Promise.all(this.#living().map(member => this.#doubt(desired, member)));
    // All are known before the end of any is told.
    for (const [member, instance] of adopted) {
      await this.#adopt(member, instance, desired.asleep);
      await this.#realign(member, instance.limits);
    }
    const alive = new Set(found.filter(isAlive).map(({ id }) => id));
    const falling = this.#living().filter(({ id, status }) => status === 'asleep' && alive.has(id));
    if (desired.asleep === 'deep') this.#slumber.resume(falling);
    await this.#options.engine.setQuota(desired.app.name, desired.quota);
    const missing = this.#missing(desired);
    const awaited = missing.some(place => place.type === 'web') || this.#awaitsWeb(desired);
    if (desired.asleep) this.#laying = missing.filter(place => place.type === 'web').length;
    if (awaited) await this.#publish();
    else await this.#dismissStrays();
    for (const { type, index } of missing) {
      const back = this.#bringBack(desired, type, index);
      const laid = () => {
        this.#laying -= 1;
      };
      this.#inBackground(desired.asleep && type === 'web' ? back.finally(laid) : back);
    }
    if (known.asleep && this.asleep === undefined && this.#laying === 0)
      this.#options.noteSleep(this.#app, undefined);
  }

  /** Brings up a whole new set beside the old, switches in one step, retires the old behind the caller's back. */
  async deploy(desired: Desired, options: DeployOptions): Promise<DeployTimes> {
    const { clock, engine } = this.#options;
    await engine.setQuota(desired.app.name, desired.quota);
    const wanted = places(desired).filter(place => !options.only || place.type === options.only);
    const marks = [clock.ticks()];
    for (const [type, count] of desired.counts)
      if (count > 0) options.progress.step(`Deploying ${type} (count=${count})`);
    const given = await this.#giveWay(desired, wanted);
    const fresh = await this.#raise(desired, wanted, { ...options, marks }).catch(error => {
      this.#bringAllBack(given);
      throw error;
    });
    try {
      options.commit?.();
    } catch (error) {
      await this.#discard(fresh);
      this.#bringAllBack(given);
      throw error;
    }
    await faultPoint('deploy:committed');
    const old = [...this.members.values()].filter(
      member =>
        !fresh.includes(member) &&
        member.status !== 'stopping' &&
        (!options.only || member.type === options.only),
    );
    this.#app = desired.app;
    this.#desired = desired;
    this.#stopped = false;
    this.#slumber.forgive();
    // Before they get requests: a control that takes them for asleep would stop them.
    if (!options.only || options.only === 'web') this.#options.noteSleep(this.#app, undefined);
    await this.#switch(fresh, old);
    await faultPoint('deploy:switched');
    marks.push(clock.ticks());
    const [begun = 0, created = 0, started = 0, ready = 0, switched = 0] = marks;
    return {
      create: created - begun,
      start: started - created,
      ready: ready - started,
      switch: switched - ready,
    };
  }

  /** Of types whose checks are disabled, what runs ends first. @returns what ended */
  async #giveWay(desired: Desired, wanted: readonly Place[]): Promise<readonly Place[]> {
    const disabled = desired.checks?.().disabled;
    const types = new Set(wanted.map(({ type }) => type).filter(type => disabled?.(type)));
    const going = this.#living().filter(({ type }) => types.has(type));
    if (going.length === 0) return [];
    this.#letGo(going);
    await this.#publish();
    await this.#retire(going);
    return going;
  }

  /** After a deploy that failed: what had made way for it. */
  #bringAllBack(given: readonly Place[]): void {
    const desired = this.#desired;
    if (!desired || this.#stopped) return;
    for (const { type, index } of given) this.#inBackground(this.#bringBack(desired, type, index));
  }

  async scale(desired: Desired, options: ScaleOptions): Promise<void> {
    await this.wake();
    const fresh = await this.#raise(desired, this.#missing(desired), options);
    const surplus = [...this.members.values()].filter(
      member =>
        member.status !== 'stopping' &&
        !fresh.includes(member) &&
        member.index > (desired.counts.get(member.type) ?? 0),
    );
    this.#app = desired.app;
    this.#desired = desired;
    const kept = this.#living().filter(member => !surplus.includes(member));
    const serves = kept.some(member => member.serving || (member.type === 'web' && fresh.includes(member)));
    // One that crashed is not up yet, say: who serves stands in for it.
    const stays = serves || !isDesired(desired, 'web') ? [] : surplus.filter(member => member.serving);
    for (const member of stays) this.#strays.add(member);
    await this.#switch(
      fresh,
      surplus.filter(member => !stays.includes(member)),
      options.patient,
    );
  }

  /** Tells the edge at once; the old name is whoever called's to withdraw. */
  rename(app: App): Promise<void> {
    this.#app = app;
    if (this.#desired) this.#desired = { ...this.#desired, app };
    return this.#publish();
  }

  /** Which networks its instances are on, and by which names: those that are not up yet, and those that go, have none. */
  async reconnect(): Promise<void> {
    const networks = this.#options.networks(this.#app);
    const app = this.#app.name;
    const joined = [...this.members.values()].map(member => {
      const known = member.status !== 'stopping' && !this.#fresh.has(member);
      const attachments = known ? namedOn(networks, { ...member, app }) : namelessOn(networks.early);
      return this.#options.engine.join(member.id, attachments);
    });
    await Promise.all(joined);
  }

  async stop(type?: ProcessType): Promise<void> {
    if (type === undefined) {
      this.#stopped = true;
      this.#options.noteSleep(this.#app, undefined);
    }
    const going = [...this.members.values()].filter(member => type === undefined || member.type === type);
    this.#letGo(going);
    await this.#publish();
    await this.#retire(going);
  }

  /** @returns false, with all as before, when it cannot: a request is in flight, say */
  async sleep(depth: SleepDepth, also: readonly ProcessType[]): Promise<boolean> {
    if (this.#stopped) return false;
    return await this.#slumber.sleep(depth, new Set(['web', ...also]));
  }

  /** @throws WherryError check-failed, unavailable */
  async wake(): Promise<void> {
    if (!this.#stopped) await this.#slumber.wake();
  }

  /** Live limits; puts back what was changed when one instance cannot take it. */
  async applyLimits(desired: Desired): Promise<void> {
    const { engine } = this.#options;
    const done: Member[] = [];
    const before = this.#desired;
    const admitted = await this.#admit(this.#growth(desired), {});
    try {
      for (const member of this.members.values()) {
        if (member.status === 'stopping') continue;
        await engine.updateLimits(member.id, desired.limits(member.type));
        done.push(member);
      }
      await engine.setQuota(desired.app.name, desired.quota);
    } catch (error) {
      if (before)
        await Promise.allSettled(
          done.map(member => engine.updateLimits(member.id, before.limits(member.type))),
        );
      throw error;
    } finally {
      admitted();
    }
    for (const member of done) {
      member.memoryLimit = desired.limits(member.type).memory;
      member.promised = promisedBy(desired, member.type);
    }
    this.#desired = desired;
  }

  /** Everything goes, at once but for SIGTERM's grace. */
  async destroy(): Promise<void> {
    this.#desired = undefined;
    this.#destroyed = true;
    const going = [...this.members.values()];
    this.#letGo(going);
    await Promise.all(going.map(member => this.#end(member)));
  }

  /** Control goes, instances stay. */
  release(): void {
    for (const member of this.members.values()) member.life.abort();
  }

  #living(): Member[] {
    return [...this.members.values()].filter(member => member.status !== 'stopping');
  }

  #fits(member: Member, instance: Instance, desired: Desired): boolean {
    const taken = [...this.members.values()].some(
      other =>
        other.version === desired.version && other.type === member.type && other.index === member.index,
    );
    return (
      !this.#stopped &&
      !taken &&
      member.version === desired.version &&
      (instance.status.kind !== 'created' || desired.asleep !== undefined) &&
      member.index <= (desired.counts.get(member.type) ?? 0)
    );
  }

  /** Makes an instance that should be there; a host that cannot (disk full, layer gone) is tried again, slower and slower. */
  async #bringBack(desired: Desired, type: ProcessType, index: number): Promise<void> {
    const { clock, random, tell } = this.#options;
    for (let tries = 0; this.#desired === desired; tries++) {
      try {
        const admitted = await this.#admit(bytesOf(desired, [{ type, index }]), {});
        const member = await this.#create(desired, { type, index }).finally(admitted);
        if (this.#desired !== desired) return await this.#discard([member]);
        if (desired.asleep && type === 'web' && !this.#serves()) return await this.#lay(member);
        return await this.#keep(member, 'start');
      } catch (error) {
        tell(
          this.#app,
          'crash',
          `${dynoOf({ type, index })} could not be created: ${String(error)}. It is tried again.`,
        );
        await clock.sleep(backOff(tries, random));
      }
    }
  }

  async #adopt(member: Member, instance: Instance, asleep: SleepDepth | undefined): Promise<void> {
    const { kind } = instance.status;
    // For a deep sleep it may have been told to end already.
    const lies = asleep !== undefined && (kind !== 'running' || (asleep === 'deep' && member.type === 'web'));
    if (lies) {
      member.status = 'asleep';
      member.frozen = kind === 'frozen';
      member.serving = false;
    } else if (kind === 'frozen') await this.#options.engine.thaw(member.id).catch(() => {});
    const from = member.status === 'starting' ? 'prove' : 'watch';
    if (!lies || member.frozen) this.#inBackground(this.#keep(member, from));
  }

  /** One that was just being started when control went runs, and is not up: visitors come when it is. */
  async #doubt(desired: Desired, member: Member): Promise<void> {
    if (!member.serving) return;
    const { skipped, disabled } = desired.checks?.() ?? {};
    if (skipped?.(member.type) || disabled?.(member.type)) return;
    if (!(await isRefused({ host: member.address, port: member.port }))) return;
    member.serving = false;
    member.status = 'starting';
  }

  /** Control went between changing limits in the kernel and storing them: what is stored holds. */
  async #realign(member: Member, limits: Limits): Promise<void> {
    const wanted = this.#desired?.limits(member.type);
    if (!wanted || areSameLimits(limits, wanted)) return;
    try {
      await this.#options.engine.updateLimits(member.id, wanted);
      member.memoryLimit = wanted.memory;
    } catch (error) {
      // It uses more by now: its next start has them.
      this.#options.log.warn({ err: error, app: this.#app.name, instance: dynoOf(member) }, 'limits differ');
    }
  }

  #serves(): boolean {
    return [...this.members.values()].some(member => member.serving);
  }

  /** Whether none serves of those that should, and not because the app sleeps. */
  #awaitsWeb(desired: Desired): boolean {
    if (this.#stopped || desired.asleep || !isDesired(desired, 'web')) return false;
    return !this.#isServedWithoutStrays();
  }

  #isServedWithoutStrays(): boolean {
    return [...this.members.values()].some(member => member.serving && !this.#strays.has(member));
  }

  /** Of an app that slept: made, and started when it is asked for. */
  async #lay(member: Member): Promise<void> {
    member.status = 'asleep';
    await this.#publish();
  }

  async #rouse(member: Member): Promise<void> {
    const desired = this.#desired;
    if (!desired) throw new WherryError('conflict', 'belongs to an app that is being destroyed');
    const { engine, turns } = this.#options;
    const started = await turns.take(awaited);
    try {
      member.life.signal.throwIfAborted();
      await engine.start(member.id);
      await untilReady(this.#options, { desired, member, again: true });
    } catch (error) {
      await this.#kill(member);
      throw error;
    } finally {
      started();
    }
  }

  #hold(member: Member, instance: Instance): Member {
    const { status } = instance;
    const runs = status.kind === 'running' || status.kind === 'frozen';
    if (runs) member.since = status.startedAt;
    member.status = runs ? 'running' : 'waiting';
    member.serving = runs && member.type === 'web' && !this.#stopped;
    this.members.set(member.id, member);
    return member;
  }

  async #dismissStrays(): Promise<void> {
    const strays = [...this.#strays];
    this.#letGo(strays);
    await this.#publish();
    const version = this.#desired?.version;
    this.#inBackground(this.#retire(strays.filter(member => member.version !== version)));
    // Of this release, but too many: they were being scaled away.
    this.#inBackground(this.#outlive(strays.filter(member => member.version === version)));
  }

  #missing(desired: Desired): Place[] {
    if (this.#stopped) return [];
    const kept = this.#living().filter(member => !this.#strays.has(member));
    const have = new Set(kept.map(dynoOf));
    return places(desired).filter(place => !have.has(dynoOf(place)));
  }

  /** Bytes that raised limits add to what is promised. */
  #growth(desired: Desired): number {
    const growth = this.#living().map(({ type, promised }) => promisedBy(desired, type) - promised);
    return growth.filter(bytes => bytes > 0).reduce((sum, bytes) => sum + bytes, 0);
  }

  async #admit(
    bytes: number,
    { progress, signal }: { progress?: Progress; signal?: AbortSignal | undefined },
  ): Promise<() => void> {
    if (bytes === 0) return () => {};
    return await this.#options.admit({
      app: this.#app.name,
      bytes,
      patience: memoryPatience,
      signal,
      ...(progress && { onWait: why => progress.step(why) }),
    });
  }

  /** Creates and starts instances, all or none. */
  async #raise(
    desired: Desired,
    wanted: readonly Place[],
    options: RaiseOptions & { marks?: number[] },
  ): Promise<Member[]> {
    const bytes = bytesOf(desired, wanted);
    const admitted = await this.#admit(bytes, options);
    try {
      return await this.#raiseAdmitted(desired, wanted, options);
    } finally {
      admitted();
    }
  }

  async #raiseAdmitted(
    desired: Desired,
    wanted: readonly Place[],
    options: RaiseOptions & { marks?: number[] },
  ): Promise<Member[]> {
    const { clock } = this.#options;
    const created = await settleAll(wanted, startsAtOnce, place =>
      this.#create(desired, { ...place, fresh: true }),
    );
    const fresh = created.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
    options.marks?.push(clock.ticks());
    try {
      throwFirst(created);
      await faultPoint('deploy:created');
      const [first = [], ...later] = wavesOf(fresh, desired.parallel?.());
      await this.#start(first);
      await faultPoint('deploy:started');
      options.marks?.push(clock.ticks());
      await this.#proveAll(desired, first, options);
      for (const wave of later) {
        options.signal?.throwIfAborted();
        await this.#start(wave);
        await this.#proveAll(desired, wave, options);
      }
      await faultPoint('deploy:ready');
      options.marks?.push(clock.ticks());
    } catch (error) {
      await this.#discard(fresh);
      throw error;
    }
    return fresh;
  }

  async #create(desired: Desired, { type, index, fresh }: Place & { fresh?: true }): Promise<Member> {
    const { engine, clock, logsDir, mounts } = this.#options;
    const spec = specFor(desired, { type, index }, logsDir);
    const networks = namelessOn(this.#options.networks(desired.app).early);
    const instance = await engine.create({ ...spec, mounts: await mounts(desired.app, type), networks });
    const member = memberOf(instance, clock.now());
    member.promised = promisedBy(desired, type);
    this.members.set(member.id, member);
    if (fresh) this.#fresh.add(member);
    return member;
  }

  async #start(wave: readonly Member[]): Promise<void> {
    throwFirst(await settleAll(wave, startsAtOnce, member => this.#options.engine.start(member.id)));
  }

  async #proveAll(desired: Desired, wave: readonly Member[], options: RaiseOptions): Promise<void> {
    const proven = wave.map(async member => {
      await prove(this.#options, { desired, member, ...options });
      this.#mark(member, 'running');
    });
    await Promise.all(proven);
  }

  /** One step for the edge: the new serve, the old do not; then the old drain and end behind the caller's back. */
  async #switch(fresh: readonly Member[], old: readonly Member[], patient = false): Promise<void> {
    for (const member of fresh) {
      this.#fresh.delete(member);
      member.serving = member.type === 'web' && member.status === 'running';
    }
    this.#letGo(old);
    await this.#present();
    for (const member of fresh) this.#inBackground(this.#keep(member, 'watch'));
    this.#inBackground(patient ? this.#outlive(old) : this.#retire(old));
  }

  #letGo(members: readonly Member[]): void {
    for (const member of members) {
      this.#mark(member, 'stopping');
      member.serving = false;
      this.#strays.delete(member);
    }
  }

  async #retire(members: readonly Member[]): Promise<void> {
    const web = members.filter(member => member.type === 'web').map(member => member.id);
    if (web.length > 0) await this.#options.sink.drained(web, this.#drainTimeout());
    await Promise.all(members.map(member => this.#end(member)));
  }

  /** Ends each with its last request, however long that takes; a deploy or a stop is not that patient. */
  async #outlive(members: readonly Member[]): Promise<void> {
    const { sink } = this.#options;
    const isCurrent = (member: Member) => !this.#stopped && this.#desired?.version === member.version;
    const outlived = members.map(async member => {
      do await sink.drained([member.id], this.#drainTimeout());
      while (isCurrent(member) && !sink.quiet([member.id]));
      await this.#end(member);
    });
    await Promise.all(outlived);
  }

  /** Once, whoever asks for it. */
  #end(member: Member): Promise<void> {
    const under = this.#ends.get(member) ?? this.#endNow(member);
    this.#ends.set(member, under);
    return under;
  }

  async #endNow(member: Member): Promise<void> {
    const { engine } = this.#options;
    const stopTimeout = this.#stopTimeout();
    this.#mark(member, 'stopping');
    member.life.abort(new Error('told to stop'));
    await engine.signal(member.id, member.stopSignal);
    if (member.frozen) await engine.thaw(member.id).catch(() => {});
    await engine
      .wait(member.id, AbortSignal.timeout(stopTimeout))
      .catch(() => engine.signal(member.id, 'SIGKILL'));
    await engine.remove(member.id);
    this.members.delete(member.id);
  }

  #stopTimeout(): number {
    return this.#desired?.upkeep?.().stopTimeout ?? this.#options.stopTimeout;
  }

  #drainTimeout(): number {
    return this.#desired?.checks?.().waitToRetire ?? this.#options.drainTimeout;
  }

  async #discard(members: readonly Member[]): Promise<void> {
    for (const member of members) {
      member.life.abort(new Error('its deploy failed'));
      await this.#options.engine.remove(member.id);
      this.members.delete(member.id);
      this.#fresh.delete(member);
    }
  }

  /** Lives as long as the instance: restarts it each time it ends, slower and slower, and never gives up. */
  async #keep(member: Member, from: 'watch' | 'start' | 'prove'): Promise<void> {
    const { clock } = this.#options;
    const life = member.life.signal;
    let step = from;
    member.unwatched = false;
    while (!life.aborted && member.status !== 'stopping') {
      try {
        if (step === 'start') await this.#restart(member);
        else if (step === 'prove') await this.#prove(member);
        const startedAt = clock.ticks();
        const { how, exit } = await this.#untilEnded(member);
        if (life.aborted || this.#endedAsleep(member)) return;
        if (clock.ticks() - startedAt > wellAfter) member.restarts = 0;
        if (!(await this.#ended(member, how, exit))) return;
      } catch (error) {
        if (life.aborted) return;
        await this.#kill(member);
        const how = error instanceof WherryError ? error.message : `could not be started (${String(error)})`;
        if (!(await this.#ended(member, how))) return;
      }
      step = 'start';
    }
  }

  /** Until it ends, by itself or since it is not healthy any more. */
  async #untilEnded(member: Member): Promise<{ readonly how: string; readonly exit?: Exit }> {
    const { engine } = this.#options;
    const life = member.life.signal;
    const exited = engine.wait(member.id, life);
    const unhealthy = this.#untilUnhealthy(member, exited);
    const first = await Promise.race([exited, unhealthy]);
    if (typeof first !== 'string') return { how: howItEnded(first), exit: first };
    await this.#putDown(member, first);
    await exited;
    return { how: first };
  }

  /** With why; never when it has no checks or ends before. */
  async #untilUnhealthy(member: Member, exited: Promise<unknown>): Promise<string> {
    const desired = this.#desired;
    const never = new Promise<never>(() => {});
    if (!desired || watchedChecks(desired, member.type).length === 0) return await never;
    const over = new AbortController();
    const end = () => over.abort(new Error('it ended'));
    exited.then(end, end);
    const { engine, clock, tell } = this.#options;
    try {
      return await untilUnhealthy({
        ...{ engine, clock, desired, member, signal: over.signal },
        ready: (ready, why) => this.#readied(member, ready, why),
        warn: text => tell(this.#app, 'check', `${dynoOf(member)}: ${text}`),
      });
    } catch (error) {
      if (!over.signal.aborted) throw error;
      return await never;
    }
  }

  /** Takes a web instance that is not ready from its visitors, and gives it back; the last one stays: its own answer is better than none. */
  async #readied(member: Member, ready: boolean, why: string | undefined): Promise<void> {
    const others = [...this.members.values()].some(other => other !== member && other.serving);
    const serving = ready || !others;
    if (member.type !== 'web' || member.status !== 'running' || member.serving === serving) return;
    member.serving = serving;
    await this.#publish();
    const what = serving ? 'gets requests again' : `gets no requests until it is ready: ${why}`;
    this.#options.tell(this.#app, 'check', `${dynoOf(member)} ${what}.`);
  }

  /** Requests in flight may end first, as long as those of a deploy may. */
  async #putDown(member: Member, why: string): Promise<void> {
    const { engine, sink } = this.#options;
    member.lastExit = why;
    member.serving = false;
    this.#mark(member, 'waiting');
    await this.#publish();
    if (member.type === 'web') await sink.drained([member.id], this.#drainTimeout());
    member.life.signal.throwIfAborted();
    await engine.signal(member.id, member.stopSignal);
    await engine
      .wait(member.id, AbortSignal.timeout(this.#stopTimeout()))
      .catch(() => engine.signal(member.id, 'SIGKILL'));
  }

  /** Frozen, it may still be killed: it is started again when it is asked for. */
  #endedAsleep(member: Member): boolean {
    if (member.status !== 'asleep') return false;
    member.frozen = false;
    member.unwatched = true;
    return true;
  }

  /** One that runs but never became ready ends before it is tried again. */
  async #kill(member: Member): Promise<void> {
    const { engine } = this.#options;
    await engine.signal(member.id, 'SIGKILL');
    await engine.wait(member.id, AbortSignal.timeout(10_000)).catch(() => {});
  }

  async #restart(member: Member): Promise<void> {
    const desired = this.#desired;
    if (!desired) return;
    const { engine, turns } = this.#options;
    const started = await turns.take(this.#rank);
    try {
      if (member.life.signal.aborted || (member.status as string) === 'stopping') return;
      this.#mark(member, 'starting');
      await engine.start(member.id);
      await untilReady(this.#options, { desired, member, again: true });
    } finally {
      started();
    }
    await this.#welcome(member);
  }

  async #prove(member: Member): Promise<void> {
    const desired = this.#desired;
    if (!desired) return;
    await untilReady(this.#options, { desired, member, again: true });
    await this.#welcome(member);
  }

  async #welcome(member: Member): Promise<void> {
    // A deploy or a stop took it away meanwhile.
    if ((member.status as string) === 'stopping') return;
    this.#mark(member, 'running');
    if (member.restarts > 0) this.#options.tell(this.#app, 'recovered', `${dynoOf(member)} runs again.`);
    member.serving = member.type === 'web';
    if (member.serving) await this.#present();
    else await this.reconnect();
  }

  /** Tells of an end and waits out the back-off. @returns whether it is to be started again */
  async #ended(member: Member, how: string, exit?: Exit): Promise<boolean> {
    const { clock, tell, random } = this.#options;
    if (member.life.signal.aborted || (member.status as string) === 'stopping') return false;
    const wait = backOff(member.restarts, random);
    const failed = exit === undefined || exit.code !== 0 || exit.oom !== undefined;
    const policy = this.#desired?.upkeep?.().restart ?? { kind: 'always' };
    const left = whyLeft(policy, { restarts: member.restarts, failed });
    const next = left
      ? `It is not restarted: ${left}. Start it with "ps:restart ${this.#app.name} ${member.type}".`
      : `It is restarted in ${Math.max(1, Math.round(wait / 1000))} s.`;
    const hint = exit?.oom ? ` More memory: ${remedy(this.#app.name, member.type, exit.oom)}` : '';
    member.lastExit = how;
    if (!left) member.restarts += 1;
    member.serving = false;
    this.#mark(member, left ? 'exited' : 'waiting');
    await this.#publish();
    tell(this.#app, exit?.oom ? 'oom' : 'crash', `${dynoOf(member)} ${how}. ${next}${hint}`);
    if (left) return false;
    await clock.sleep(wait, member.life.signal).catch(() => {});
    return true;
  }

  #mark(member: Member, status: Member['status']): void {
    member.status = status;
    member.since = this.#options.clock.now();
  }

  /** Tells the edge who serves; strays go once others do. */
  async #present(): Promise<void> {
    if (this.#strays.size > 0 && this.#isServedWithoutStrays()) await this.#dismissStrays();
    else await this.#publish();
  }

  async #publish(): Promise<void> {
    if (this.#destroyed) return;
    const serving = [...this.members.values()].filter(member => member.serving);
    const targets = serving.map(member => ({ id: member.id, host: member.address, port: member.port }));
    await this.#options.sink.set(this.#app.name, this.#state(serving.length), targets);
    await this.reconnect().catch(error =>
      this.#options.log.error({ err: error, app: this.#app.name }, 'networks could not be joined'),
    );
  }

  #state(serving: number): AppState {
    const { name } = this.#app;
    if (serving > 0) return { kind: 'serving' };
    if (this.#stopped)
      return { kind: 'stopped', reason: `App ${name} is stopped. Start it with "ps:start ${name}".` };
    if (this.asleep !== undefined) {
      const why = this.#slumber.trouble;
      if (why === undefined) return { kind: 'asleep' };
      return { kind: 'crashed', reason: `App ${name} was asleep and does not start: ${why}.` };
    }
    if (this.#laying > 0) return { kind: 'asleep' };
    if (!this.#desired || !isDesired(this.#desired, 'web')) {
      return {
        kind: 'stopped',
        reason: `App ${name} runs no web process. Start one with "ps:scale ${name} web=1".`,
      };
    }
    const web = [...this.members.values()].find(member => member.type === 'web' && member.lastExit);
    const why = web ? `${dynoOf(web)} ${web.lastExit}` : 'its web process is starting';
    const next = web?.status === 'exited' ? `Start it with "ps:restart ${name}".` : 'It is being restarted.';
    return { kind: 'crashed', reason: `App ${name} is not up: ${why}. ${next}` };
  }

  #inBackground(work: Promise<void>): void {
    const tracked = work
      .catch(error => this.#options.log.error({ err: error, app: this.#app.name }, 'supervising failed'))
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}

function isAlive({ status }: Instance): boolean {
  return status.kind === 'running' || status.kind === 'frozen';
}

/** Of a light sleep that was cut off at its begin or end, some serve already: the others are to serve too. */
function isWaking({ asleep }: Desired, found: readonly Instance[]): boolean {
  const web = found.filter(({ labels }) => labels['type'] === 'web');
  return asleep === 'light' && web.some(({ status }) => status.kind === 'running');
}

type RaiseOptions = { readonly progress: Progress; readonly signal?: AbortSignal };

type Place = { readonly type: ProcessType; readonly index: number };

function isDesired({ counts }: Desired, type: 'web'): boolean {
  return (counts.get(type as ProcessType) ?? 0) > 0;
}

/** What instances at these places may use; together no more than the app's quota. */
function bytesOf(desired: Desired, wanted: readonly Place[]): number {
  const sum = wanted.reduce((total, { type }) => total + promisedBy(desired, type), 0);
  return Math.min(sum, desired.quota.memory ?? Number.POSITIVE_INFINITY);
}

function places(desired: Desired): Place[] {
  return [...desired.counts].flatMap(([type, count]) =>
    Array.from({ length: count }, (_, at) => ({ type, index: at + 1 })),
  );
}
