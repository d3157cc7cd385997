import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chown, mkdir, readdir, rmdir, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  /** The user namespace of all instances, as a file. */
  readonly namespace: string;
  readonly ids: typeof mappedIds;
  /** A folder of a layer, or of an instance of the engine's own, as an overlay takes it. */
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

/** Above all that hosts give to people, services and other containers; below 2^31, which some programs cannot count beyond. */
export const mappedIds = { first: 0x4000_0000, count: 0x1000_0000 } as const;

const { first, count } = mappedIds;
/**
 * The kernel makes an overlay's own work files as the host's root, so root has to be somebody on the disk: the one beyond the
 * range, whom nobody inside can be.
 */
const ofOverlays = [`0:${first}:${count}`, `${count}:0:1`];

/** Undefined where the kernel or the file system cannot map owners: instances then have the host's own ids. */
export async function openUserMapping(options: {
  tag: string;
  /** Folder of the engine's own that overlays write to. */
  instances: string;
  /** Those that layers lie in. */
  layers: readonly string[];
  log: Log;
}): Promise<UserMapping | undefined> {
  const { tag, instances, layers, log } = options;
  try {
    const mapping = await makeMapping({ root: rootOf(tag), instances, layers });
    await mapping.seen(instances);
    return mapping;
  } catch (error) {
    log.warn({ err: error }, 'users inside instances are not mapped on this host');
    return undefined;
  }
}

/** Also of a process before this one. */
export async function purgeUserMapping(tag: string): Promise<void> {
  await removeTree(rootOf(tag), 3);
}

const rootOf = (tag: string): string => `/run/wherry-${tag}`;

async function makeMapping(options: {
  root: string;
  instances: string;
  layers: readonly string[];
}): Promise<UserMapping> {
  const { root, instances, layers } = options;
  const at = join(root, 'at');
  const views = join(root, 'views');
  const namespaces = { users: join(root, 'users'), overlays: join(root, 'overlays') };
  await mkdir(root, { recursive: true, mode: 0o711 });
  await mkdir(views, { recursive: true, mode: 0o700 });
  // Root inside passes, and no user of the host.
  await mkdir(at, { recursive: true, mode: 0o710 });
  await chown(at, 0, first);
  await keepNamespace(namespaces.users, [`0:${first}:${count}`]);
  await keepNamespace(namespaces.overlays, ofOverlays);

  const made = new Map<string, Promise<string>>();
  /** One mount for all that is below `folder`; made anew when another folder has taken its place. */
  const view = (folder: string, how: 'ro' | 'rw'): Promise<string> => {
    const target = join(views, `${how}-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`);
    if (made.has(target) && shows(target, folder)) return made.get(target) ?? Promise.resolve(target);
    const making = (async () => {
      if (isMounted(target) && shows(target, folder)) return target;
      await unmountBelow(target);
      await mkdir(target, { recursive: true });
      await mapMounts(namespaces.overlays, how, [{ source: folder, target }]);
      return target;
    })();
    made.set(target, making);
    making.catch(() => made.delete(target));
    return making;
  };
  const folderOf = (id: string) => join(at, id);
  const rootfs = (id: string) => join(folderOf(id), 'rootfs');
  const sources = (id: string, mounts: readonly Mount[]) =>
    mounts.map((mount, place) => ({ ...mount, source: join(folderOf(id), String(place)) }));

  return {
    namespace: namespaces.users,
    ids: mappedIds,
    async seen(path) {
      const folder =
        [instances, ...layers].find(each => path === each || path.startsWith(`${each}/`)) ?? dirname(path);
      return join(await view(folder, folder === instances ? 'rw' : 'ro'), path.slice(folder.length));
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
