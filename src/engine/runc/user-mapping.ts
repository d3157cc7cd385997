import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chown, mkdir, readdir, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../system/exec.ts';
import type { Log } from '../../system/log.ts';
import { isMounted, unmountBelow } from '../../system/mounts.ts';
import { programRoot } from '../../system/root.ts';
import type { Mount } from '../engine.ts';

/**
 * Host ids of the users inside instances: user N inside is `first + N` outside, whom no file or process of the host belongs to.
 * Files keep their plain ids on the disk; instances see them through mounts that map owners, so that layers are shared as they
 * are and nothing is ever changed or copied for it.
 */
export type UserMapping = {
  /** The user namespace of all of them, as a file. */
  readonly namespace: string;
  readonly ids: HostIds;
  /** Whether a folder is below one of those that it was opened with. */
  covers(path: string): boolean;
  /** Such a folder as an overlay takes it. */
  seen(path: string): Promise<string>;
  /** The same of a file system that is one instance's own, by where it is mounted. */
  disk(id: string, at: string): Promise<string>;
  /** Where an instance's root is mounted: its user cannot pass through the data directory. */
  rootfs(id: string): string;
  /** Where its mounts are taken from, in their order. */
  sources(id: string, mounts: readonly Mount[]): readonly Mount[];
  /** Makes both, where they are missing. @throws when the file system of a mount cannot map owners */
  prepare(id: string, mounts: readonly Mount[]): Promise<void>;
  release(id: string): Promise<void>;
  /** Releases what instances had that are none of these. */
  sweep(known: ReadonlySet<string>): Promise<void>;
  /** Network namespaces that belong to the user namespace, by the names that `ip netns` knows. */
  makeNetworks(names: readonly string[]): Promise<void>;
};

type HostIds = { readonly first: number; readonly count: number };

/** Above all that hosts give to people, services and other containers; below 2^31, which some programs cannot count beyond. */
export const mappedIds = {
  apps: { first: 0x4000_0000, count: 0x1000_0000 },
  builds: { first: 0x5000_0000, count: 0x1000_0000 },
} as const satisfies Record<string, HostIds>;
type Whose = keyof typeof mappedIds;

type Folders = {
  /** Those that overlays write to. */
  readonly written: readonly string[];
  /** Those that layers lie in. */
  readonly layers: readonly string[];
};

/** Undefined where the kernel or the file system cannot map owners: instances then have the host's own ids. */
export async function openUserMapping(
  options: Folders & { tag: string; whose: Whose; log: Log },
): Promise<UserMapping | undefined> {
  const { tag, whose, log, ...folders } = options;
  try {
    const mapping = await makeMapping(rootOf(tag, whose), mappedIds[whose], folders);
    for (const folder of folders.written) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await mapping.seen(folder);
    }
    return mapping;
  } catch (error) {
    log.warn({ err: error, whose }, 'users inside instances are not mapped on this host');
    return undefined;
  }
}

/** Also of a process before this one. */
export async function purgeUserMapping(tag: string): Promise<void> {
  await removeTree(rootOf(tag, 'apps'), 3);
  await removeTree(rootOf(tag, 'builds'), 3);
}

const rootOf = (tag: string, whose: Whose): string =>
  `/run/wherry-${tag}${whose === 'apps' ? '' : `-${whose}`}`;

async function makeMapping(root: string, ids: HostIds, { written, layers }: Folders): Promise<UserMapping> {
  const { first, count } = ids;
  const at = join(root, 'at');
  const views = join(root, 'views');
  const namespaces = { users: join(root, 'users'), overlays: join(root, 'overlays') };
  await mkdir(root, { recursive: true, mode: 0o711 });
  await mkdir(views, { recursive: true, mode: 0o700 });
  // Root inside passes, and no user of the host.
  await mkdir(at, { recursive: true, mode: 0o710 });
  await chown(at, 0, first);
  await keepNamespace(namespaces.users, [`0:${first}:${count}`]);
  // The kernel makes an overlay's own work files as the host's root, so root has to be somebody on the disk: the one beyond the
  // range, whom nobody inside can be.
  await keepNamespace(namespaces.overlays, [`0:${first}:${count}`, `${count}:0:1`]);

  const making = new Map<string, Promise<void>>();
  /** One mount for all that is below `folder`; made anew when another folder has taken its place. */
  const view = async (folder: string, how: 'ro' | 'rw'): Promise<string> => {
    const target = join(views, `${how}-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
    await making.get(target);
    if (shows(target, folder)) return target;
    const made = making.get(target) ?? makeView(folder, target, how).finally(() => making.delete(target));
    making.set(target, made);
    await made;
    return target;
  };
  const makeView = async (folder: string, target: string, how: 'ro' | 'rw'): Promise<void> => {
    if (existsSync(target)) await unmountBelow(target);
    await mkdir(target, { recursive: true });
    await mapMounts(namespaces.overlays, how, [{ source: folder, target }]);
  };

  const rootOver = (path: string): string | undefined =>
    [...written, ...layers].find(folder => path === folder || path.startsWith(`${folder}/`));

  const folderOf = (id: string) => join(at, id);
  const rootfs = (id: string) => join(folderOf(id), 'rootfs');
  const sources = (id: string, mounts: readonly Mount[]) =>
    mounts.map((mount, place) => ({ ...mount, source: join(folderOf(id), String(place)) }));

  return {
    namespace: namespaces.users,
    ids,
    covers: path => rootOver(path) !== undefined,
    async seen(path) {
      const folder = rootOver(path);
      if (folder === undefined) throw new Error(`owners are not mapped below ${path}`);
      return join(await view(folder, written.includes(folder) ? 'rw' : 'ro'), path.slice(folder.length));
    },
    async disk(id, source) {
      const target = join(folderOf(id), 'disk');
      await mkdir(target, { recursive: true });
      if (!isMounted(target)) await mapMounts(namespaces.overlays, 'rw', [{ source, target }]);
      return target;
    },
    rootfs,
    sources,
    async prepare(id, mounts) {
      await mkdir(rootfs(id), { recursive: true, mode: 0o711 });
      const pairs = sources(id, mounts).map(({ source: target }, place) => ({
        source: mounts[place]?.source ?? '',
        target,
      }));
      const missing = pairs.filter(({ target }) => !isMounted(target));
      await Promise.all(missing.map(makeTarget));
      if (missing.length > 0) await mapMounts(namespaces.users, 'rw', missing);
    },
    release: id => removeTree(folderOf(id), 1),
    async sweep(known) {
      for (const id of await readdir(at)) if (!known.has(id)) await removeTree(folderOf(id), 1);
    },
    makeNetworks: names => idmap('networks', [namespaces.users, ...names]),
  };
}

async function keepNamespace(file: string, extents: readonly string[]): Promise<void> {
  if (!isMounted(file)) await idmap('namespace', [file, ...extents]);
}

type Pair = { readonly source: string; readonly target: string };

async function mapMounts(namespace: string, how: 'ro' | 'rw', pairs: readonly Pair[]): Promise<void> {
  const words = pairs.flatMap(({ source, target }) => [source, target]);
  await idmap('mount', [namespace, how], words.map(word => `${word}\0`).join(''));
}

async function makeTarget({ source, target }: Pair): Promise<void> {
  if ((await stat(source)).isDirectory()) await mkdir(target, { recursive: true });
  else await writeFile(target, '');
}

/** Perl is on every Debian and Ubuntu, and calls the kernel as Node cannot. */
async function idmap(what: string, args: readonly string[], input = ''): Promise<void> {
  const program = join(programRoot, 'src/engine/runc/idmap.pl');
  await exec('/usr/bin/perl', [program, what, ...args], { input, timeout: 30_000 });
}

/** Whether both are one and the same folder. */
function shows(target: string, folder: string): boolean {
  const [seen, meant] = [target, folder].map(path => statSync(path, { throwIfNoEntry: false }));
  return seen !== undefined && meant !== undefined && seen.ino === meant.ino && seen.dev === meant.dev;
}

/** Without ever looking into what may be mounted in it: below `depth` folders, all are empty ones. */
async function removeTree(folder: string, depth: number): Promise<void> {
  if (!existsSync(folder)) return;
  await unmountBelow(folder);
  await removeEmpty(folder, depth);
}

async function removeEmpty(folder: string, depth: number): Promise<void> {
  for (const entry of depth > 0 ? await readdir(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await removeEmpty(path, depth - 1);
    else await unlink(path);
  }
  await rmdir(folder);
}
