export type MemoryUse = {
  /** Bytes, dropable cache included. */
  readonly usage: number;
  /** Bytes of it that the kernel can drop: file pages. */
  readonly reclaimable: number;
  readonly peak: number;
  /** Bytes; null without one. */
  readonly limit: number | null;
};

export type MemoryKills = {
  /** Processes of this group that the kernel killed for memory. */
  readonly kills: number;
  /** How often the group met its own limit. */
  readonly hits: number;
};

/**
 * The kernel's control groups, version 1 or 2 alike. `path` is absolute below the hierarchies' roots: `/wherry-<tag>/<app>/<id>`.
 * Calls are synchronous: each is a few microseconds in the kernel's own file system, and nothing may come between them. Only
 * `takeBack` is not: the kernel may take its time.
 */
export interface Cgroups {
  /** Whether swap can be limited (v1 needs swap accounting). */
  readonly swapLimited: boolean;
  /** Makes the group and those above it. */
  make(path: string): void;
  exists(path: string): boolean;
  /** Bytes, or null for no limit. The kernel rounds down to pages. */
  setMemory(path: string, bytes: number | null): void;
  setPids(path: string, most: number | null): void;
  setCpus(path: string, cpus: number | undefined): void;
  /** Share of a busy CPU among the groups beside it, in percent of the kernel's usual one; 1 to 1000. */
  setCpuShare(path: string, percent: number): void;
  memory(path: string): MemoryUse;
  /** Bytes that can go without anything being written to a file, and that none of its processes has mapped; with `swap`, cold memory too. */
  spare(path: string, swap: boolean): number;
  /** Lets what is taken back go to swap, until `setMemory`. */
  allowSwap(path: string): void;
  /** Lets the kernel take back that many bytes of a group without running processes; its limit is `limit` afterwards. @throws EAGAIN, EBUSY for fewer */
  takeBack(path: string, bytes: number, limit: number): Promise<void>;
  /** `refused`: how often a process or thread more was. */
  pids(path: string): { readonly current: number; readonly limit: number | null; readonly refused: number };
  /** Microseconds used. */
  cpu(path: string): number;
  kills(path: string): MemoryKills;
  freeze(path: string, frozen: boolean): void;
  frozen(path: string): boolean;
  /** Host process ids in this group, not in groups below. */
  processes(path: string): readonly number[];
  /** Names of the groups directly below. */
  children(path: string): readonly string[];
  /** Moves a process out of a service manager's group, which would kill it together with this service. */
  shelter(path: string, pid: number): void;
  /** Removes the group and what is below it from every hierarchy. Empty ones only: the kernel refuses others. */
  remove(path: string): void;
}
