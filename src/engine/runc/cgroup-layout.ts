import { WherryError } from '../../domain/errors.ts';

export type Controller = 'memory' | 'pids' | 'cpu' | 'freezer';

/** Where the kernel's control groups are mounted. Hybrid hosts (v2 mounted, its controllers on v1) count as v1. */
export type CgroupLayout =
  | {
      readonly version: 1;
      readonly roots: Readonly<Record<Controller, string>>;
      /** Every hierarchy, also those we set nothing in: the runtime makes folders in all of them. */
      readonly every: readonly string[];
    }
  | { readonly version: 2; readonly root: string; readonly every: readonly string[] };

type CgroupMount = {
  readonly type: 'cgroup' | 'cgroup2';
  readonly at: string;
  readonly options: readonly string[];
};

const needed = ['memory', 'pids', 'cpu', 'freezer'] as const;

/**
 * Reads the layout from the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`.
 * @throws unavailable when no memory controller is to be had: limits would be empty words.
 */
export function parseCgroupLayout(mountinfo: string, selfCgroup: string): CgroupLayout {
  const mounts = cgroupMounts(mountinfo);
  const active = activeControllers(selfCgroup);
  const every = [...new Set(mounts.map(mount => mount.at))];
  const v1Root = (controller: Controller) =>
    active.has(controller)
      ? mounts.find(mount => mount.type === 'cgroup' && mount.options.includes(controller))?.at
      : undefined;

  const memory = v1Root('memory');
  if (memory !== undefined) {
    const roots = Object.fromEntries(needed.map(controller => [controller, v1Root(controller)]));
    for (const controller of needed) {
      if (roots[controller] === undefined) throw missing(controller);
    }
    return { version: 1, roots: roots as Record<Controller, string>, every };
  }
  const unified = mounts.find(mount => mount.type === 'cgroup2');
  if (unified === undefined) throw missing('memory');
  return { version: 2, root: unified.at, every };
}

function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountinfo.split('\n')) {
    const [before, after] = line.split(' - ');
    const at = before?.split(' ')[4];
    const [type, , options] = after?.split(' ') ?? [];
    if (at !== undefined && (type === 'cgroup' || type === 'cgroup2')) {
      mounts.push({ type, at: unescapeOctal(at), options: options?.split(',') ?? [] });
    }
  }
  return mounts;
}

/** Controllers bound to a v1 hierarchy: the middle field of `4:memory:/path`. The v2 line is `0::/path`. */
function activeControllers(selfCgroup: string): ReadonlySet<string> {
  return new Set(selfCgroup.split('\n').flatMap(line => line.split(':')[1]?.split(',') ?? []));
}

/** mountinfo writes blanks in paths as `\040`. */
function unescapeOctal(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function missing(controller: string): WherryError {
  return new WherryError(
    'unavailable',
    `The kernel's ${controller} controller is not mounted, so limits cannot be kept. Mount cgroup v2 on /sys/fs/cgroup, or boot with cgroup_enable=memory.`,
  );
}
