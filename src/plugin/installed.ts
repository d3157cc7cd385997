import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { sentence, WherryError } from '../domain/errors.ts';
import type { Store } from '../store/store.ts';
import { copyPlain } from './copy-plain.ts';
import { fetchPackage, parsePackage } from './fetch-package.ts';
import { lendApi } from './lend-api.ts';
import type { PluginFolder } from './load.ts';
import { type Manifest, readManifest } from './manifest.ts';

const key = 'plugins-installed';

/** A row of what is installed: where it lies below the folder of all, and where it came from. */
type Row = Manifest & { readonly folder: string; readonly path: string; readonly from: string };
export type InstalledPlugin = PluginFolder & Omit<Row, 'folder'>;

export type InstallOptions = { readonly signal: AbortSignal; readonly caFile: string };

/** The plugins of a folder of this data directory. What the database does not name there is left over, and goes. */
export function createInstalled({ store, dir }: { store: Store; dir: string }) {
  const rows = (): readonly Row[] =>
    store.properties.list('global', key).map(text => JSON.parse(text) as Row);
  const put = (all: readonly Row[]): void =>
    store.properties.setList(
      'global',
      key,
      all.map(row => JSON.stringify(row)),
    );
  const placed = (row: Row): InstalledPlugin => ({ ...row, path: join(dir, row.folder, row.path) });

  return {
    /** Once, before any is loaded. */
    async open(): Promise<readonly InstalledPlugin[]> {
      await mkdir(dir, { recursive: true });
      await chmod(dir, 0o755);
      const named = new Set(rows().map(row => row.folder));
      for (const entry of await readdir(dir))
        if (!named.has(entry)) await rm(join(dir, entry), { recursive: true, force: true });
      await lendApi(dir);
      return rows().map(placed);
    },

    /**
     * Copies a folder of this host, or a package of npm; no code of it runs. Nobody has to trust where it came from after that.
     * @throws invalid when it is no plugin for this API, conflict by `free` when the name is taken, unavailable when npm cannot get it
     */
    async install(
      from: string,
      { signal, caFile }: InstallOptions,
      free: (name: string) => void,
    ): Promise<InstalledPlugin> {
      const staging = await mkdtemp(join(dir, '.staging-'));
      await chmod(staging, 0o755);
      const folder = randomBytes(8).toString('hex');
      try {
        const source = isAbsolute(from)
          ? { root: from, path: '' }
          : {
              root: staging,
              path: relative(
                staging,
                await fetchPackage(parsePackage(from), { into: staging, caFile, signal }),
              ),
            };
        const manifest = await readManifest(join(source.root, source.path)).catch(error => {
          throw new WherryError('invalid', `${from} cannot be installed: ${sentence(error)}`, {
            cause: error,
          });
        });
        free(manifest.name);
        await copyPlain(source.root, join(dir, folder));
        const row = { ...manifest, folder, path: source.path, from };
        put([...rows(), row]);
        return placed(row);
      } catch (error) {
        await rm(join(dir, folder), { recursive: true, force: true });
        throw error;
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
    },

    /** Forgets it first: what a crash leaves of it goes with the next start. */
    async remove(name: string): Promise<void> {
      const [gone, kept] = [rows().filter(row => row.name === name), rows().filter(row => row.name !== name)];
      put(kept);
      for (const { folder } of gone) await rm(join(dir, folder), { recursive: true, force: true });
    },
  };
}
