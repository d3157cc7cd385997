import type { Clock } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import type { EngineEvent, Exit, InstanceSpec, LayerPath, OomKill } from '../engine.ts';
import type { Cgroups, MemoryKills } from './cgroups.ts';
import { withDisk } from './disk.ts';
import type { Folders, InstanceFolder } from './folders.ts';
import type { Resolver } from './name-servers.ts';
import type { Network } from './network.ts';
import type { InstanceRecord } from './record.ts';
import type { UserMapping } from './user-mapping.ts';

/** What the verbs of this driver share, once it is open. */
export type Driver = {
  readonly tag: string;
  readonly folders: Folders;
  readonly cgroups: Cgroups;
  /** Our group below the hierarchies' roots: `/wherry-<tag>`. */
  readonly cgroupRoot: string;
  readonly network: Network;
  /** Undefined where the host cannot. */
  readonly mapping: UserMapping | undefined;
  /** The same of builds. */
  readonly buildMapping: UserMapping | undefined;
  /** Whether those of new instances are to be mapped. */
  readonly mapUsers: boolean;
  /** Lets instances reach and name each other as their records have it; asked often at once, it is done once for all. */
  readonly meet: () => Promise<void>;
  readonly resolver: Resolver;
  readonly host: HostFacts;
  readonly layerPath: LayerPath;
  readonly clock: Clock;
  readonly log: Log;
  readonly instances: Map<string, Living>;
  /** CPU shares of the open sandboxes by id, in percent of an instance's. */
  readonly sandboxShares: Map<string, number>;
  readonly emit: (event: EngineEvent) => void;
};

export type HostFacts = {
  readonly runc: string;
  /** A static init that reaps: catatonit. */
  readonly init: string;
  /** Lowering it may be forbidden, so instances get ours, or 0 when ours protects us. */
  readonly oomScoreAdj: number;
  readonly ipv6: boolean;
  /** The hard limits that this process has, by their names in docker. */
  readonly ulimits: ReadonlyMap<string, number>;
};

/** An instance as this process knows it; everything here can be read again from files and the kernel. */
export type Living = {
  record: InstanceRecord;
  readonly folder: InstanceFolder;
  readonly cgroup: string;
  /** Host pid of its init, from its last start. */
  pid: number | undefined;
  startedAt: Date | undefined;
  exit: Exit | undefined;
  /** The one exit that is being noted, so that two who see it note it once. */
  noting: Promise<Exit> | undefined;
  /** Kernel counters already told. */
  kills: MemoryKills;
  /** Monotonic time at which its own limit was last seen to refuse memory. */
  lastHit: number | undefined;
  lastKill: { readonly oom: OomKill; readonly ticks: number } | undefined;
  /** Its memory is being taken back. */
  reclaim: { readonly over: AbortController; readonly done: Promise<number> } | undefined;
  /** Whether its own file system was last seen full. */
  diskFull: boolean;
  readonly waiters: Set<(exit: Exit) => void>;
  /** What was last written to its `/etc/hosts`; undefined when nobody else was ever named there by this process. */
  hosts: string | undefined;
};

export function createLiving(driver: Pick<Driver, 'folders' | 'cgroupRoot'>, record: InstanceRecord): Living {
  const { id, group, limits } = record.spec;
  return {
    record,
    folder: withDisk(driver.folders.instance(id), limits.disk),
    cgroup: groupPath(driver, group, id),
    pid: undefined,
    startedAt: undefined,
    exit: undefined,
    noting: undefined,
    kills: { kills: 0, hits: 0 },
    lastHit: undefined,
    lastKill: undefined,
    reclaim: undefined,
    diskFull: false,
    waiters: new Set(),
    hosts: undefined,
  };
}

export function groupPath(driver: Pick<Driver, 'cgroupRoot'>, group: string, id?: string): string {
  return id === undefined ? `${driver.cgroupRoot}/${group}` : `${driver.cgroupRoot}/${group}/${id}`;
}

/** How people know it: `web.1` where the owner's labels tell, else its id. */
export function displayName(spec: InstanceSpec): string {
  const { type, index } = spec.labels;
  return type === undefined || index === undefined ? spec.id : `${type}.${index}`;
}

/** Groups that are not apps; app names cannot begin with `_`. */
export const sandboxGroup = '_sandboxes';
export const supervisorGroup = '_supervisors';
