const mib = 2 ** 20;

/** What one instance may use. Set in its cgroup before it starts, changed live, read back from the kernel. */
export type Limits = {
  /** Bytes of memory, swap included (swap is off). */
  readonly memory: number;
  /** Most processes and threads at once. */
  readonly pids: number;
  /** CPUs as a fraction of one, e.g. 1.5; none = no cap but fair shares. */
  readonly cpus?: number;
  /** Bytes of what it writes beside its mounts, /tmp too; as its first start had them. None = what the disk has. */
  readonly disk?: number;
};

/** Of what can be changed while it runs. */
export function areSameLimits(one: Limits, other: Limits): boolean {
  return one.memory === other.memory && one.pids === other.pids && one.cpus === other.cpus;
}

/** What all instances of one app may use together; in the app's parent cgroup. */
export type Quota = { readonly memory: number | null; readonly pids: number | null };

export const defaultLimits: Limits = { memory: 512 * mib, pids: 512 };

/** Largest number of instances of one process type; a typing mistake above it. */
export const largestScale = 100;
