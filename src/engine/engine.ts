import type { Readable, Writable } from 'node:stream';
import type { Tmpfs, Ulimit } from '../domain/docker-run-option.ts';
import type { DiffId, StopSignal, UserIds } from '../domain/image.ts';
import type { Isolation } from '../domain/isolation.ts';
import type { Attachment } from '../domain/network.ts';
import type { Limits, Quota } from '../domain/quota.ts';
import type { Terminal } from '../domain/terminal.ts';

/**
 * The port to whatever runs containers. Drivers: `runc/` (default), `fake/` (tests). One contract suite, test/contract/.
 * Everything a driver made is found again by `list` after a crash, from its own files and the kernel.
 */
export interface Engine {
  readonly name: string;
  /** Bridge, nft table, cgroup roots: makes what is missing, keeps what is there. Call once before anything else. */
  open(): Promise<void>;
  /** Lets go of watchers and handles; instances keep running. */
  close(): Promise<void>;
  /** Removes every instance and everything that `open` made. */
  purge(): Promise<void>;

  /**
   * Prepares an instance so that `start` is all that is left: rootfs mounted, network namespace and address ready, bundle
   * written, log open. Memory limit and process limit are set before its first process.
   */
  create(spec: InstanceSpec): Promise<Instance>;
  /** Starts a created or exited instance. Resolves once its process was executed. */
  start(id: string): Promise<void>;
  /** Sends a signal to the instance's first process; nothing happens if it does not run. */
  signal(id: string, signal: StopSignal | 'SIGKILL'): Promise<void>;
  freeze(id: string): Promise<void>;
  thaw(id: string): Promise<void>;
  /**
   * Gives the host memory of a frozen instance that it does not need to go on at once. A thaw or a removal meanwhile ends it.
   * @returns bytes that were freed @throws WherryError('conflict') when it is not frozen
   */
  reclaim(id: string): Promise<number>;
  /** Kills what runs, gives back rootfs, namespace, address and cgroup. Keeps the log. Removing what is gone is no error. */
  remove(id: string): Promise<void>;
  /** Resolves when the instance has exited, at once if it has. */
  wait(id: string, signal?: AbortSignal): Promise<Exit>;
  /** Changes limits of a living instance. @throws WherryError('invalid') when memory is below what is in use (nothing changes). */
  updateLimits(id: string, limits: Limits): Promise<void>;
  /**
   * Changes which networks an instance is on, at once: those that share one reach each other, and find the others' names in
   * their `/etc/hosts`. Kept with it. Of one that is gone it is no error.
   */
  join(id: string, networks: readonly Attachment[]): Promise<void>;
  /** Folder of the host with what an instance that has ended wrote over its layers (an overlay's upper); it goes with the instance. */
  written(id: string): Promise<string>;
  /** Read from the kernel, not from records. */
  stats(id: string): Promise<Stats>;
  list(): Promise<readonly Instance[]>;
  /** Runs a command inside a running instance, as its user. */
  exec(id: string, options: ExecSpec): Promise<number>;
  /** The same with somebody's streams, and a terminal if they have one. What it leaves running ends with it. */
  attach(id: string, options: AttachSpec): Promise<number>;

  /** Limits of the parent cgroup that all instances of `group` (an app name) live in. @throws WherryError('invalid') if below use. */
  setQuota(group: string, quota: Quota): Promise<void>;
  groupStats(group: string): Promise<GroupStats>;
  /** Removes an empty group's cgroup. */
  removeGroup(group: string): Promise<void>;

  /** A container for a build: long-lived, one `run` per step in it; `close` removes everything but the overlay's upper folder. */
  openSandbox(spec: SandboxSpec): Promise<Sandbox>;

  /** Exits and memory kills, as they happen. Returns the way to stop listening. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}

export type InstanceSpec = {
  /** Unique on the data directory: `[a-z0-9.-]`, at most 100 characters. `app.type.index.vN-xxxxxx`. */
  readonly id: string;
  /** The app's name: the parent cgroup. */
  readonly group: string;
  /** Free for the owner's use, kept with the instance and given back by `list` (app, process, index, release). */
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  /** Lowest first. */
  readonly layers: readonly DiffId[];
  readonly argv: readonly string[];
  /** Its own process does nothing, whatever `argv` says: programs are run in it by `attach`. */
  readonly idle?: true;
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly user: UserIds;
  readonly limits: Limits;
  /**
   * Folders and files of the host that it sees, beside its layers; kept with it, and what is put into a folder later is seen too.
   * @throws WherryError('invalid') on `create` for a source that is not there and a target that is not to be covered.
   */
  readonly mounts?: readonly Mount[];
  /** Folders in memory; what is in them counts as its own memory. */
  readonly tmpfs?: readonly Tmpfs[];
  /** Limits of each of its processes, never above the host's own. */
  readonly ulimits?: readonly Ulimit[];
  /** Further names in its `/etc/hosts`. */
  readonly hosts?: readonly { readonly name: string; readonly address: string }[];
  /** Bytes of /dev/shm; 64 MiB unless told. */
  readonly shm?: number;
  /** Only mounts can be written. */
  readonly readonlyRoot?: true;
  /** What runs it; `runc` unless told. @throws WherryError('unavailable') on `create` where that is not installed */
  readonly isolation?: Isolation;
  /** As by `join`, before its first process; left out, it reaches no other instance. */
  readonly networks?: readonly Attachment[];
  /** Host file the output goes to, one line each: `<RFC3339 time> <stdout|stderr> <F|P> text` (CRI log format). */
  readonly logFile: string;
  /** Bytes of it that are kept; it is begun anew beyond them. */
  readonly logSize?: number;
};

export type InstanceStatus =
  | { readonly kind: 'created' }
  | { readonly kind: 'running'; readonly pid: number; readonly startedAt: Date }
  | { readonly kind: 'frozen'; readonly pid: number; readonly startedAt: Date }
  | { readonly kind: 'exited'; readonly exit: Exit };

export type Instance = {
  readonly id: string;
  readonly group: string;
  readonly labels: Readonly<Record<string, string>>;
  /** IPv4 address of its network namespace, reachable from the host, and from those that share a network with it. */
  readonly address: string;
  readonly limits: Limits;
  readonly logFile: string;
  readonly status: InstanceStatus;
};

export type Exit = {
  /** Exit status, or 128 + signal. */
  readonly code: number;
  readonly at: Date;
  /** Set when the kernel killed a process of it for memory: by its own limit or by the app's quota. */
  readonly oom?: OomKill;
};

export type OomKill = {
  readonly scope: 'instance' | 'group';
  /** Bytes. */
  readonly limit: number;
  readonly peak: number;
};

export type EngineEvent =
  | { readonly kind: 'exited'; readonly id: string; readonly exit: Exit }
  /** A memory kill; the instance's first process may live on (a child of it was killed). */
  | { readonly kind: 'oom'; readonly id: string; readonly oom: OomKill }
  /** It has written all that its disk limit lets it; its next write fails. Told once, and again after it had room. */
  | { readonly kind: 'disk'; readonly id: string; readonly limit: number };

export type Stats = {
  /** Bytes in use, page cache that can be dropped not counted. */
  readonly memory: number;
  readonly memoryPeak: number;
  readonly memoryLimit: number;
  readonly pids: number;
  readonly pidsLimit: number;
  /** Microseconds of CPU used. */
  readonly cpu: number;
  readonly oomKills: number;
  /** Bytes written beside its mounts, where that is limited. */
  readonly disk?: { readonly used: number; readonly limit: number };
};

export type GroupStats = {
  readonly memory: number;
  readonly memoryLimit: number | null;
  readonly pids: number;
  readonly pidsLimit: number | null;
};

export type ExecSpec = {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onOutput: (chunk: Buffer, stream: 'stdout' | 'stderr') => void;
  readonly signal?: AbortSignal;
};

export type AttachSpec = {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Not used with a terminal. */
  readonly stderr: Writable;
  readonly terminal?: Terminal | undefined;
  /** Kills it. */
  readonly signal?: AbortSignal;
};

export type Mount = {
  /** Host path. */
  readonly source: string;
  /** Absolute path inside. */
  readonly target: string;
  readonly readonly: boolean;
};

export type SandboxSpec = {
  /** `[a-z0-9.-]`, unique. */
  readonly id: string;
  /** Lowest first: the build image. A throw-away writable layer is on top. */
  readonly layers: readonly DiffId[];
  /** Bind mounts, and overlays whose upper folder the caller keeps (`lower` read-only host folders, lowest first). */
  readonly mounts: readonly (Mount | OverlayMount)[];
  readonly limits: Limits;
  /** Share of a busy CPU, in percent of an instance's; 25 unless told. */
  readonly cpu?: number;
  /**
   * `host-uplink` reaches outside but neither instances, the host, its private networks nor metadata addresses; `hosts` reaches
   * what `reach` names and no name server; `none` has loopback alone.
   */
  readonly network: 'host-uplink' | 'hosts' | 'none';
  /** Hosts that may be reached although they are private, or alone. Never this host, other instances or metadata addresses. */
  readonly reach?: readonly ReachableHost[];
  readonly hostname: string;
  /** Folder on the overlays' file system that takes the throw-away layer, for who counts what is written. */
  readonly scratch?: string;
  /**
   * The platform's own builder of images runs here as root: it may mount and chroot inside the sandbox, so no filter of system
   * calls holds it. What it runs of an app, it must confine itself.
   */
  readonly nested?: true;
};

/** A host by the addresses it had when it was looked up. */
export type ReachableHost = {
  readonly name: string;
  /** IPv4. */
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
};

export type OverlayMount = {
  readonly target: string;
  /** Read-only as a whole: a step writes to the one folder directly below it that it names as its `part`. */
  readonly parts?: true;
  readonly lower: readonly string[];
  /** Empty folders on one file system, owned by the caller. */
  readonly upper: string;
  readonly work: string;
};

export interface Sandbox {
  readonly id: string;
  /**
   * Runs one program in the sandbox to its end; nothing that it started is left afterwards, unless other steps still run.
   * @throws LimitReached on time-out, silence, memory kill, or failure for want of processes; build-failed when the sandbox was
   * killed from outside; another exit status is returned.
   */
  run(step: SandboxStep): Promise<number>;
  /** Kills what is left, unmounts, removes. */
  close(): Promise<void>;
}

export type SandboxStep = {
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** `root` only for the platform's own package steps, in which nothing of the application runs. */
  readonly user: UserIds | 'root';
  readonly onOutput: (chunk: Buffer) => void;
  /** Milliseconds in all. */
  readonly timeout: number;
  /** Milliseconds without output. */
  readonly silence?: number;
  readonly signal?: AbortSignal;
  /** The folder below a mount of `parts` that this step may write to, as a path inside; no other step may run beside it then. */
  readonly part?: string;
};

/** Where a layer's files are on this host. */
export type LayerPath = (layer: DiffId) => string;
