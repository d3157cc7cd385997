import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WherryError } from '../../domain/errors.ts';
import type { DiffId } from '../../domain/image.ts';
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

/**
 * Layers, unpacked and immutable, named by their diffID: ready to be an overlay's lower folders as they are. Nothing but
 * folders, so that any number of processes may put the same layer at once: the first rename wins, the others are dropped.
 */
export function createLayerStore(paths: Pick<Paths, 'cache' | 'layers'>) {
  const roots = { app: paths.layers, shared: join(paths.cache, 'layers') };
  const home = (id: DiffId) => {
    const name = folderName(id);
    const shared = join(roots.shared, name);
    return existsSync(shared) ? shared : join(roots.app, name);
  };
  let holders = 0;

  return {
    /** Folder with the layer's files. Does not say whether it exists. */
    layerPath: (id: DiffId): string => join(home(id), 'fs'),
    has: (id: DiffId): boolean => existsSync(home(id)),
    info: (id: DiffId): LayerInfo =>
      JSON.parse(readFileSync(join(home(id), 'layer.json'), 'utf8')) as LayerInfo,

    async put({ dir, scope, origin, ...options }: PutOptions): Promise<DiffId> {
      const { diffId, size, entries } = await digestOf(dir, options);
      const info: LayerInfo = { size, entries, origin };
      if (existsSync(home(diffId))) await rm(dir, { recursive: true, force: true });
      else await adopt({ dir, info, root: roots[scope], name: folderName(diffId) });
      return diffId;
    },

    /** While a build holds the store, `collect` deletes nothing: it may be about to reuse any layer. Returns the way to let go. */
    hold(): () => void {
      holders += 1;
      return () => {
        holders -= 1;
      };
    },

    /** Deletes this data directory's layers that are not kept; nothing while a build runs. Shared ones stay: others may use them. */
    async collect(kept: ReadonlySet<DiffId>): Promise<void> {
      if (holders > 0) return;
      mkdirSync(roots.app, { recursive: true });
      for (const name of readdirSync(roots.app)) {
        const id = parseFolderName(name);
        if (id !== undefined && !kept.has(id))
          renameSync(join(roots.app, name), join(roots.app, `gone-${name}`));
      }
      for (const name of readdirSync(roots.app).filter(entry => entry.startsWith('gone-'))) {
        await rm(join(roots.app, name), { recursive: true, force: true });
      }
    },

    /** Deletes what a crash left half put. Call when no build runs. */
    async sweep(): Promise<void> {
      mkdirSync(roots.app, { recursive: true });
      for (const name of readdirSync(roots.app)) {
        if (/^(put|gone)-|^tmp$/.test(name))
          await rm(join(roots.app, name), { recursive: true, force: true });
      }
    },
  };
}

async function adopt(options: { dir: string; info: LayerInfo; root: string; name: string }): Promise<void> {
  await mkdir(options.root, { recursive: true, mode: 0o755 });
  const staged = await mkdtemp(join(options.root, 'put-'));
  try {
    await rename(options.dir, join(staged, 'fs'));
    await writeFile(join(staged, 'layer.json'), JSON.stringify(options.info));
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
