import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatBytes } from '../../domain/bytes.ts';
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
  InstanceStatus,
  OomKill,
  Sandbox,
  SandboxSpec,
  Stats,
} from '../engine.ts';
import { checkMounts } from '../mounts.ts';
import type { FakeOptions } from './behaviour.ts';
import { FakeProcess } from './fake-process.ts';
import { openFakeSandbox } from './fake-sandbox.ts';

type Held = {
  spec: InstanceSpec;
  readonly address: string;
  process: FakeProcess | undefined;
  exit: Exit | undefined;
  starts: number;
  oomKills: number;
  readonly waiters: Set<(exit: Exit) => void>;
};

/** An engine in memory, for tests of what uses one: no container, but real ports when its processes are told to listen. */
export class FakeEngine implements Engine {
  readonly name = 'fake';
  readonly #options: FakeOptions;
  readonly #held = new Map<string, Held>();
  readonly #quotas = new Map<string, Quota>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #lastPid = 100_000;
  #lastAddress: number;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    // A prime, so that few of the processes beside this one have the same.
    this.#lastAddress = (process.pid + 509 * (options.number ?? 0)) * 256;
  }

  async open(): Promise<void> {}
  async close(): Promise<void> {}

  async purge(): Promise<void> {
    await Promise.all([...this.#held.keys()].map(id => this.remove(id)));
    this.#quotas.clear();
  }

  async create(spec: InstanceSpec): Promise<Instance> {
    checkSpec(spec);
    if (this.#held.has(spec.id)) {
      throw new WherryError('conflict', `Instance ${spec.id} exists already. Remove it first.`);
    }
    await mkdir(dirname(spec.logFile), { recursive: true });
    await appendFile(spec.logFile, '');
    const held: Held = {
      spec,
      address: this.#nextAddress(),
      process: undefined,
      exit: undefined,
      starts: 0,
      oomKills: 0,
      waiters: new Set(),
    };
    this.#held.set(spec.id, held);
    return describe(held);
  }

  async start(id: string): Promise<void> {
    const held = this.#find(id);
    if (held.process) return;
    const { spec, address } = held;
    const behaviour = this.#options.behave?.(spec, held.starts + 1) ?? {};
    if (behaviour.startError !== undefined) throw new WherryError('failed', behaviour.startError);
    held.starts += 1;
    held.exit = undefined;
    this.#lastPid += 1;
    held.process = new FakeProcess({
      pid: this.#lastPid,
      behaviour,
      onEnd: code => this.#ended(held, code),
    });
    const now = new Date().toISOString();
    const lines = behaviour.output?.map(({ stream, text }) => `${now} ${stream} F ${text}\n`) ?? [];
    await appendFile(spec.logFile, lines.join(''));
    await held.process.begin({ address, port: Number(spec.env['PORT'] ?? 0), id });
    if (this.#overLimit(held)) held.process?.end(137);
    const { disk } = spec.limits;
    if (behaviour.fillsDisk && disk !== undefined) this.#emit({ kind: 'disk', id, limit: disk });
  }

  async signal(id: string, signal: StopSignal | 'SIGKILL'): Promise<void> {
    this.#find(id).process?.signal(signal);
  }

  async freeze(id: string): Promise<void> {
    this.#running(id).frozen = true;
  }

  async thaw(id: string): Promise<void> {
    this.#running(id).frozen = false;
  }

  async reclaim(id: string): Promise<number> {
    const process = this.#running(id);
    if (!process.frozen) throw new WherryError('conflict', `Instance ${id} is not frozen. Freeze it first.`);
    const { reclaimError } = process.behaviour;
    if (reclaimError !== undefined) throw new Error(reclaimError);
    const { spare } = process;
    process.spare = 0;
    return spare;
  }

  async remove(id: string): Promise<void> {
    const held = this.#held.get(id);
    held?.process?.signal('SIGKILL');
    for (const tell of held?.waiters ?? []) tell({ code: 137, at: new Date() });
    this.#held.delete(id);
    if (held) await rm(writtenOf(held), { recursive: true, force: true });
  }

  wait(id: string, signal?: AbortSignal): Promise<Exit> {
    return new Promise((resolve, reject) => {
      const held = this.#find(id);
      if (held.exit) return resolve(held.exit);
      signal?.throwIfAborted();
      held.waiters.add(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }

  async updateLimits(id: string, limits: Limits): Promise<void> {
    const held = this.#find(id);
    const used = memoryOf(held);
    if (limits.memory < used) {
      throw new WherryError(
        'invalid',
        `Memory limit ${formatBytes(limits.memory)} of ${id} is below the ${formatBytes(used)} in use. Give more, or restart it with less to do.`,
      );
    }
    held.spec = { ...held.spec, limits };
  }

  async join(id: string, networks: readonly Attachment[]): Promise<void> {
    const held = this.#held.get(id);
    if (held) held.spec = { ...held.spec, networks };
  }

  /** Which networks an instance is on, by its id. */
  networksOf(id: string): readonly Attachment[] {
    return this.#held.get(id)?.spec.networks ?? [];
  }

  async written(id: string): Promise<string> {
    const dir = writtenOf(this.#find(id));
    await mkdir(dir, { recursive: true });
    return dir;
  }

  async stats(id: string): Promise<Stats> {
    const held = this.#find(id);
    const memory = memoryOf(held);
    return {
      memory,
      memoryPeak: memory,
      memoryLimit: held.spec.limits.memory,
      pids: held.process ? 1 : 0,
      pidsLimit: held.spec.limits.pids,
      cpu: 0,
      oomKills: held.oomKills,
    };
  }

  async list(): Promise<readonly Instance[]> {
    return [...this.#held.values()].map(describe);
  }

  async exec(id: string, options: ExecSpec): Promise<number> {
    this.#running(id);
    return (await this.#options.exec?.(this.#find(id).spec, options)) ?? 0;
  }

  async attach(id: string, options: AttachSpec): Promise<number> {
    this.#running(id);
    return (await this.#options.attach?.(this.#find(id).spec, options)) ?? 0;
  }

  async setQuota(group: string, quota: Quota): Promise<void> {
    const { memory } = await this.groupStats(group);
    if (quota.memory !== null && quota.memory < memory) {
      throw new WherryError(
        'invalid',
        `Memory quota ${formatBytes(quota.memory)} of app ${group} is below the ${formatBytes(memory)} in use. Give more, or stop or scale down processes first.`,
      );
    }
    this.#quotas.set(group, quota);
  }

  async groupStats(group: string): Promise<GroupStats> {
    const members = this.#members(group);
    const quota = this.#quotas.get(group);
    return {
      memory: members.reduce((sum, held) => sum + memoryOf(held), 0),
      memoryLimit: quota?.memory ?? null,
      pids: members.filter(held => held.process).length,
      pidsLimit: quota?.pids ?? null,
    };
  }

  async removeGroup(group: string): Promise<void> {
    if (this.#members(group).length > 0) {
      throw new WherryError('conflict', `App ${group} still has instances. Remove them first.`);
    }
    this.#quotas.delete(group);
  }

  async openSandbox(spec: SandboxSpec): Promise<Sandbox> {
    return openFakeSandbox(spec, this.#options);
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #ended(held: Held, code: number): void {
    const oom = this.#memoryKill(held);
    const exit: Exit = { code, at: new Date(), ...(oom === undefined ? {} : { oom }) };
    held.process = undefined;
    held.exit = exit;
    const { id } = held.spec;
    if (oom) {
      held.oomKills += 1;
      this.#emit({ kind: 'oom', id, oom });
    }
    for (const tell of held.waiters) tell(exit);
    held.waiters.clear();
    this.#emit({ kind: 'exited', id, exit });
  }

  #memoryKill(held: Held): OomKill | undefined {
    const scope = held.process?.behaviour.exit?.oom ?? this.#overLimit(held);
    if (scope === undefined) return undefined;
    const limit =
      (scope === 'group' ? this.#quotas.get(held.spec.group)?.memory : undefined) ?? held.spec.limits.memory;
    return { scope, limit, peak: limit };
  }

  /** The smaller of the two limits is the one that a growing process meets first. */
  #overLimit(held: Held): 'instance' | 'group' | undefined {
    const { group, limits } = held.spec;
    const quota = this.#quotas.get(group)?.memory ?? Number.POSITIVE_INFINITY;
    const used = this.#members(group).reduce((sum, each) => sum + memoryOf(each), 0);
    if (used > quota && quota < limits.memory) return 'group';
    if (memoryOf(held) > limits.memory) return 'instance';
    return used > quota ? 'group' : undefined;
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #members(group: string): readonly Held[] {
    return [...this.#held.values()].filter(held => held.spec.group === group);
  }

  #find(id: string): Held {
    const held = this.#held.get(id);
    if (held) return held;
    throw new WherryError('not-found', `Instance ${id} does not exist.`);
  }

  #running(id: string): FakeProcess {
    const { process } = this.#find(id);
    if (process) return process;
    throw new WherryError('conflict', `Instance ${id} does not run. Start it first.`);
  }

  /** 127.64.0.0 and up: loopback, but different ones per test process. */
  #nextAddress(): string {
    this.#lastAddress += 1;
    const number = this.#lastAddress % (64 * 65_536);
    return `127.${64 + (number >> 16)}.${(number >> 8) & 0xff}.${number & 0xff || 1}`;
  }
}

function writtenOf({ spec }: Held): string {
  return `${spec.logFile}.written`;
}

function describe(held: Held): Instance {
  const { id, group, labels, limits, logFile } = held.spec;
  return { id, group, labels, limits, logFile, address: held.address, status: statusOf(held) };
}

function statusOf({ process, exit }: Held): InstanceStatus {
  if (process) {
    const { pid, startedAt, frozen } = process;
    return { kind: frozen ? 'frozen' : 'running', pid, startedAt };
  }
  return exit ? { kind: 'exited', exit } : { kind: 'created' };
}

function memoryOf({ process }: Held): number {
  return process?.behaviour.memory ?? 0;
}

function checkSpec(spec: InstanceSpec): void {
  const isName = (name: string) => /^[a-z0-9][a-z0-9.-]{0,99}$/.test(name) && !name.includes('..');
  if (!isName(spec.id) || !isName(spec.group)) {
    throw new WherryError('invalid', 'An id or group is not valid. Use a-z, 0-9, "." and "-".');
  }
  if (spec.user.uid === 0 || spec.user.gid === 0) {
    throw new WherryError('invalid', `Instance ${spec.id} would run as root. Give it another user.`);
  }
  checkMounts(spec.mounts ?? [], spec.tmpfs);
}
