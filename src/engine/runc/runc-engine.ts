import { rm } from 'node:fs/promises';
import { WherryError } from '../../domain/errors.ts';
import type { StopSignal } from '../../domain/image.ts';
import type { Attachment } from '../../domain/network.ts';
import type { Limits, Quota } from '../../domain/quota.ts';
import type {
  AttachSpec,
  Engine,
  EngineEvent,
  ExecSpec,
  Exit,
  GroupStats,
  Instance,
  InstanceSpec,
  Sandbox,
  SandboxSpec,
  Stats,
} from '../engine.ts';
import { adoptRun } from './adopt.ts';
import { checkName, createInstance } from './create.ts';
import type { Driver, Living } from './driver.ts';
import { attachInstance, execInstance } from './exec-instance.ts';
import { settleExit, waitExit } from './exits.ts';
import { groupStats, removeGroup, setQuota } from './group.ts';
import { joinNetworks } from './join.ts';
import { updateLimits } from './limits.ts';
import { openDriver, type RuncOptions } from './open-driver.ts';
import { purgeDriver } from './purge.ts';
import { reclaim } from './reclaim.ts';
import { removeInstance } from './remove.ts';
import { signalInstance } from './runtime.ts';
import { openSandbox } from './sandbox.ts';
import { createSerial } from './serial.ts';
import { startInstance } from './start.ts';
import { readStats } from './stats.ts';
import { describe, isAlive } from './status.ts';
import { watchInstances } from './watch.ts';

/** Containers by runc under conmon, overlayfs, a network namespace each. See src/engine/engine.ts for what the verbs promise. */
export class RuncEngine implements Engine {
  readonly name = 'runc';
  readonly #options: RuncOptions;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  /** Verbs of one instance follow each other; those of different ones run side by side. */
  readonly #serial = createSerial();
  #driver: Driver | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(options: RuncOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    if (this.#driver) return;
    const driver = await openDriver(this.#options, event => this.#emit(event));
    this.#driver = driver;
    this.#stopWatching = watchInstances(driver);
  }

  async close(): Promise<void> {
    this.#stopWatching?.();
    await this.#driver?.network.close();
    this.#driver = undefined;
  }

  async purge(): Promise<void> {
    await this.open();
    const driver = this.#open();
    await purgeDriver(driver);
    await this.close();
    await rm(this.#options.root, { recursive: true, force: true });
  }

  create(spec: InstanceSpec): Promise<Instance> {
    return this.#serial(spec.id, async () => {
      const driver = this.#open();
      return describe(driver, await createInstance(driver, spec));
    });
  }

  start(id: string): Promise<void> {
    return this.#serial(id, async () => startInstance(this.#open(), await this.#settled(id)));
  }

  async signal(id: string, signal: StopSignal | 'SIGKILL'): Promise<void> {
    const living = this.#find(id);
    if (isAlive(living)) await signalInstance(this.#open(), living, signal);
  }

  async freeze(id: string): Promise<void> {
    this.#setFrozen(id, true);
  }

  async thaw(id: string): Promise<void> {
    const living = this.#find(id);
    await this.#endReclaim(living);
    // Whoever was killed while it reclaimed left other limits behind.
    if (isAlive(living)) this.#open().cgroups.setMemory(living.cgroup, living.record.spec.limits.memory);
    this.#setFrozen(id, false);
  }

  async reclaim(id: string): Promise<number> {
    const living = this.#find(id);
    const driver = this.#open();
    if (!isAlive(living) || !driver.cgroups.frozen(living.cgroup))
      throw new WherryError('conflict', `Instance ${id} is not frozen. Freeze it first.`);
    if (living.reclaim) return await living.reclaim.done;
    const over = new AbortController();
    const done = reclaim(driver, living, over.signal).finally(() => {
      living.reclaim = undefined;
    });
    living.reclaim = { over, done };
    return await done;
  }

  remove(id: string): Promise<void> {
    return this.#serial(id, async () => {
      const driver = this.#open();
      const living = driver.instances.get(id);
      if (!living) return;
      await this.#endReclaim(living);
      await removeInstance(driver, living);
    });
  }

  async written(id: string): Promise<string> {
    return (await this.#settled(id)).folder.upper;
  }

  async wait(id: string, signal?: AbortSignal): Promise<Exit> {
    return waitExit(await this.#settled(id), signal);
  }

  updateLimits(id: string, limits: Limits): Promise<void> {
    return this.#serial(id, () => updateLimits(this.#open(), this.#find(id), limits));
  }

  join(id: string, networks: readonly Attachment[]): Promise<void> {
    return this.#serial(id, async () => {
      const driver = this.#open();
      const living = driver.instances.get(id);
      if (living) await joinNetworks(driver, living, networks);
    });
  }

  async stats(id: string): Promise<Stats> {
    return readStats(this.#open(), this.#find(id));
  }

  async list(): Promise<readonly Instance[]> {
    const driver = this.#open();
    const all = [...driver.instances.values()];
    await Promise.all(all.map(living => settleExit(driver, living)));
    return all.map(living => describe(driver, living));
  }

  async exec(id: string, options: ExecSpec): Promise<number> {
    return execInstance(this.#open(), this.#find(id), options);
  }

  async attach(id: string, options: AttachSpec): Promise<number> {
    return attachInstance(this.#open(), this.#find(id), options);
  }

  async setQuota(group: string, quota: Quota): Promise<void> {
    checkName(group, 'Group');
    await setQuota(this.#open(), group, quota);
  }

  async groupStats(group: string): Promise<GroupStats> {
    checkName(group, 'Group');
    return groupStats(this.#open(), group);
  }

  async removeGroup(group: string): Promise<void> {
    checkName(group, 'Group');
    await removeGroup(this.#open(), group);
  }

  async openSandbox(spec: SandboxSpec): Promise<Sandbox> {
    return openSandbox(this.#open(), spec);
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #endReclaim({ reclaim: under }: Living): Promise<void> {
    under?.over.abort();
    // How it went is told to who asked for it.
    await under?.done.catch(() => {});
  }

  #setFrozen(id: string, frozen: boolean): void {
    const living = this.#find(id);
    if (!isAlive(living)) {
      throw new WherryError('conflict', `Instance ${id} does not run. Start it first.`);
    }
    this.#open().cgroups.freeze(living.cgroup, frozen);
  }

  #open(): Driver {
    if (this.#driver) return this.#driver;
    throw new WherryError('unavailable', 'The engine is not open.');
  }

  #find(id: string): Living {
    const living = this.#open().instances.get(id);
    if (living) return living;
    throw new WherryError('not-found', `Instance ${id} does not exist.`);
  }

  /** With an exit that nobody saw noted first. */
  async #settled(id: string): Promise<Living> {
    const living = this.#find(id);
    await adoptRun(living);
    await settleExit(this.#open(), living);
    return living;
  }

  /** A listener that throws is a bug of its owner, and must not keep the others from hearing. */
  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#options.log.error({ err: error, event: event.kind, id: event.id }, 'an engine listener failed');
      }
    }
  }
}
