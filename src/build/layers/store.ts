import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import { exec } from '../../system/exec.ts';
import { faultPoint } from '../../system/fault.ts';
import { list } from '../../system/list.ts';
import type { Paths } from '../../system/paths.ts';
import { type DigestOptions, digestOf } from './digest.ts';

export type LayerStore = ReturnType<typeof createLayerStore>;
export type LayerInfo = { readonly size: number; readonly entries: number; readonly origin: string };

export type PutOptions = DigestOptions & {
  /** Root of the layer: holds `workspace/...`, `layers/...`. Moved into the store, on the same file system as it. */
  readonly dir: string;
  /** `shared` ones live in the cache and serve every data directory; `app` ones belong to this one. */
  readonly scope: 'shared' | 'app';
  /** Where it came from, for people: `stack`, `source`, `wherry/nodejs:deps`. */
  readonly origin: string;
};

/** A layer of the shared cache, and when a build or an instance last asked for it. */
export type SharedLayer = { readonly id: DiffId; readonly usedAt: Date };

/** Milliseconds between two notes that a shared layer is used. */
const noteEvery = 3_600_000;

/**
 * Layers, unpacked and immutable, named by their diffID: ready to be an overlay's lower folders as they are. Nothing but
 * folders, so that any number of processes may put the same layer at once: the first rename wins, the others are dropped.
 */
export function createLayerStore(paths: Pick<Paths, 'cache' | 'layers'>, clock: Clock = systemClock) {
  const roots = { app: paths.layers, shared: join(paths.cache, 'layers') };
  /** What was asked for since a build held the store: any of them may be in its hands. */
  const leased = new Set<DiffId>();
  let holders = 0;
  const lease = (id: DiffId) => {
    if (holders > 0) leased.add(id);
  };

  const noted = new Map<DiffId, number>();
  const noteUse = (id: DiffId, dir: string) => {
    const now = clock.now();
    if (now.getTime() - (noted.get(id) ?? 0) < noteEvery) return;
    noted.set(id, now.getTime());
    try {
      utimesSync(join(dir, 'layer.json'), now, now);
    } catch {
      // A cache that cannot be written to, or a layer that is gone: whoever asked finds out.
    }
  };
  const home = (id: DiffId) => {
    const name = folderName(id);
    const shared = join(roots.shared, name);
    if (!existsSync(shared)) return join(roots.app, name);
    noteUse(id, shared);
    return shared;
  };

  /** While a build holds the store, nothing that it asked for is deleted. Returns the way to let go. */
  const hold = (): (() => void) => {
    holders += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      holders -= 1;
      if (holders === 0) leased.clear();
    };
  };

  return {
    /** Folders that all layers lie in. */
    roots: Object.values(roots),
    /** Folder with the layer's files. Does not say whether it exists. */
    layerPath: (id: DiffId): string => {
      lease(id);
      return join(home(id), 'fs');
    },
    has: (id: DiffId): boolean => {
      lease(id);
      return existsSync(home(id));
    },
    info: (id: DiffId): LayerInfo =>
      JSON.parse(readFileSync(join(home(id), 'layer.json'), 'utf8')) as LayerInfo,

    async put({ dir, scope, origin, ...options }: PutOptions): Promise<DiffId> {
      const { diffId, size, entries } = await digestOf(dir, options);
      const info: LayerInfo = { size, entries, origin };
      const letGo = hold();
      try {
        lease(diffId);
        // Other data directories cannot see one that this one has of its own.
        const there = scope === 'shared' ? join(roots.shared, folderName(diffId)) : home(diffId);
        if (existsSync(there)) await rm(dir, { recursive: true, force: true });
        else await adopt({ dir, info, root: roots[scope], name: folderName(diffId) });
      } finally {
        letGo();
      }
      return diffId;
    },

    hold,

    /**
     * Deletes this data directory's layers that are neither kept nor in the hands of a build. What goes is renamed at once,
     * before anything waits, so that a build either has a layer or does not see it. Shared ones stay: others may use them.
     */
    async collect(kept: ReadonlySet<DiffId>): Promise<void> {
      mkdirSync(roots.app, { recursive: true });
      const gone = readdirSync(roots.app).flatMap(name => {
        const id = parseFolderName(name);
        return id === undefined || kept.has(id) || leased.has(id) ? [] : [setAside(roots.app, name)];
      });
      for (const path of gone) await rm(path, { recursive: true, force: true });
    },

    /** Layers of the shared cache, the one longest unused first. */
    shared: (): readonly SharedLayer[] =>
      list(roots.shared)
        .flatMap(name => {
          const id = parseFolderName(name);
          const file = join(roots.shared, name, 'layer.json');
          const stats = id && statSync(file, { throwIfNoEntry: false });
          return id && stats ? [{ id, usedAt: stats.mtime }] : [];
        })
        .sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime()),

    /** Deletes layers of the shared cache but for those in the hands of a build of this process. The caller knows that nobody else uses them. */
    async removeShared(ids: readonly DiffId[]): Promise<void> {
      const gone = ids.flatMap(id => {
        const name = folderName(id);
        return leased.has(id) || !existsSync(join(roots.shared, name)) ? [] : [setAside(roots.shared, name)];
      });
      for (const path of gone) await rm(path, { recursive: true, force: true });
    },

    /** Deletes what a crash left half put or half deleted. Call when no build runs; of the shared cache, what is old. */
    async sweep(): Promise<void> {
      mkdirSync(roots.app, { recursive: true });
      const old = clock.now().getTime() - oldest;
      const left = [
        ...list(roots.app)
          .filter(name => /^(put|gone)-|^tmp$/.test(name))
          .map(name => join(roots.app, name)),
        ...list(roots.shared)
          .filter(name => /^(put|gone)-/.test(name))
          .map(name => join(roots.shared, name))
          .filter(path => (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? old) < old),
      ];
      for (const path of left) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Milliseconds after which nobody can be at work on a layer of the shared cache any more. */
const oldest = 86_400_000;

/** Milliseconds in which a slow disk writes what it was given. */
const longestSync = 600_000;

/** Takes a layer's folder out of sight in one step. */
function setAside(root: string, name: string): string {
  const path = join(root, `gone-${randomBytes(4).toString('hex')}-${name}`);
  renameSync(join(root, name), path);
  return path;
}

async function adopt(options: { dir: string; info: LayerInfo; root: string; name: string }): Promise<void> {
  await mkdir(options.root, { recursive: true, mode: 0o755 });
  const staged = await mkdtemp(join(options.root, 'put-'));
  try {
    await rename(options.dir, join(staged, 'fs'));
    await writeFile(join(staged, 'layer.json'), JSON.stringify(options.info));
    await faultPoint('build:adopt');
    // Whoever finds the name takes the layer for whole, also after a loss of power.
    await exec('sync', ['--file-system', staged], { timeout: longestSync });
    await rename(staged, join(options.root, options.name));
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

function folderName(id: DiffId): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(id))
    throw new WherryError('invalid', `Layer id ${id} is not sha256 and 64 hex digits.`);
  return id.replace(':', '-');
}

function parseFolderName(name: string): DiffId | undefined {
  return /^sha256-[0-9a-f]{64}$/.test(name) ? (name.replace('-', ':') as DiffId) : undefined;
}
