import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { noRunOptions, type RunOptions } from '../domain/docker-run-option.ts';
import { type StopSignal, stopSignals } from '../domain/image.ts';
import type { ProcessType } from '../domain/names.ts';
import { largestScale } from '../domain/quota.ts';
import type { Instance, InstanceSpec } from '../engine/engine.ts';
import { instancePrefix, short, shortType } from './instance-name.ts';
import type { Desired } from './runtime.ts';

/** The port web processes are told to listen on unless their image has one; each instance has an address of its own. */
const webPort = 5000;

/** One instance as the runtime sees it, from its creation to its removal; restarts keep it. */
export type Member = {
  readonly id: string;
  readonly type: ProcessType;
  /** 1, 2, 3 ... within its type. */
  readonly index: number;
  readonly version: number;
  readonly address: string;
  readonly port: number;
  readonly logFile: string;
  /** What asks it to end. */
  readonly stopSignal: StopSignal;
  memoryLimit: number;
  /** Bytes that it counts for in the memory of the host. */
  promised: number;
  /** `asleep`: its app sleeps, and it is frozen, or has ended and can be started. `exited`: it ended, and stays so. */
  status: 'starting' | 'running' | 'waiting' | 'stopping' | 'asleep' | 'exited';
  frozen: boolean;
  /** It ended asleep, and nobody waits for its end any more. */
  unwatched: boolean;
  /** Whether the edge is told of it (web only). */
  serving: boolean;
  since: Date;
  restarts: number;
  lastExit: string | undefined;
  /** Aborted when it is to stop: ends every wait for it. A new one with each start after a deep sleep. */
  life: AbortController;
};

export function dynoOf(member: { readonly type: string; readonly index: number }): string {
  return `${member.type}.${member.index}`;
}

/** Bytes that an instance of a type counts for in the memory of the host. */
export function promisedBy({ promised, limits }: Desired, type: ProcessType): number {
  return promised?.(type) ?? limits(type).memory;
}

/** What to ask of the engine for the `index`th instance of a type. */
export function specFor(
  desired: Desired,
  { type, index }: { readonly type: ProcessType; readonly index: number },
  logsDir: string,
): InstanceSpec {
  const { app, version, image } = desired;
  const process = image.processes.find(candidate => candidate.type === type);
  const id = `${instancePrefix(app.name)}${shortType(type)}.${index}.v${version}-${randomBytes(3).toString('hex')}`;
  const limits = desired.limits(type);
  const logSize = desired.upkeep?.().logSize;
  const options = desired.options?.(type) ?? noRunOptions;
  return {
    id,
    group: app.name,
    labels: {
      ...options.labels,
      app: String(app.id),
      name: app.name,
      type,
      index: String(index),
      version: String(version),
      generation: String(desired.generation ?? 0),
      port: String(portOf(desired)),
      ...(image.stopSignal === undefined ? {} : { stop: image.stopSignal }),
    },
    hostname: options.hostname ?? short(`${app.name}-${type}-${index}`, 63).replaceAll('.', '-'),
    layers: image.layers,
    argv: [...image.entrypoint, ...(process?.command ?? [])],
    env: environment(desired, type, index),
    workingDir: options.workingDir ?? process?.workingDir ?? image.workingDir,
    user: options.user ?? image.user,
    limits,
    logFile: join(logsDir, app.name, `${id}.log`),
    ...(logSize === undefined ? {} : { logSize }),
    ...optionsOf(options),
    ...(desired.isolation && { isolation: desired.isolation }),
  };
}

/** Nothing where nothing is asked for: what an instance is made of is kept with it. */
function optionsOf({ tmpfs, ulimits, hosts, shm, readonlyRoot }: RunOptions): Partial<InstanceSpec> {
  return {
    ...(tmpfs.length > 0 && { tmpfs }),
    ...(ulimits.length > 0 && { ulimits }),
    ...(hosts.length > 0 && { hosts }),
    ...(shm !== undefined && { shm }),
    ...(readonlyRoot && { readonlyRoot }),
  };
}

export function memberOf(instance: Instance, since: Date): Member {
  const { labels } = instance;
  return {
    id: instance.id,
    type: (labels['type'] ?? 'web') as ProcessType,
    index: Math.min(Number(labels['index'] ?? 1), largestScale),
    version: Number(labels['version'] ?? 0),
    address: instance.address,
    port: Number(labels['port'] ?? webPort),
    logFile: instance.logFile,
    stopSignal: stopSignals.find(signal => signal === labels['stop']) ?? 'SIGTERM',
    memoryLimit: instance.limits.memory,
    promised: instance.limits.memory,
    status: 'starting',
    frozen: false,
    unwatched: false,
    serving: false,
    since,
    restarts: 0,
    lastExit: undefined,
    life: new AbortController(),
  };
}

/** Those that are meant to be in their places first: a restart that was cut off leaves two in one. */
export function byGeneration(found: readonly Instance[], { generation = 0 }: Desired): Instance[] {
  const rank = ({ labels }: Instance) => {
    const own = Number(labels['generation'] ?? 0);
    return own > generation ? -1 : own;
  };
  return found.toSorted((one, other) => rank(other) - rank(one));
}

/** The image's, then the app's config, then docker-options', then the platform's own, which nothing overrides. */
function environment(desired: Desired, type: ProcessType, index: number): Record<string, string> {
  const megabytes = Math.floor(desired.limits(type).memory / 2 ** 20);
  return {
    ...desired.image.env,
    MEMORY_AVAILABLE: String(megabytes),
    ...desired.config,
    ...desired.options?.(type).env,
    ...desired.revision,
    ...(type === 'web' ? { PORT: String(portOf(desired)) } : {}),
    DYNO: `${type}.${index}`,
  };
}

function portOf({ port, image }: Desired): number {
  return port ?? image.port ?? webPort;
}
