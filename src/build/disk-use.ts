import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from '../domain/app.ts';
import type { DiffId } from '../domain/image.ts';
import type { Store } from '../store/store.ts';
import { exec } from '../system/exec.ts';
import { list } from '../system/list.ts';
import type { Paths } from '../system/paths.ts';
import { classicLayersOf, readClassicRecord } from './classic/record.ts';
import { layersOf, readRecord } from './lifecycle/record.ts';

/** Bytes on disk as `du` counts them: blocks, a file with several names once. */
export type AppDisk = {
  /** Layers of its releases and caches that no other app uses. */
  readonly layers: number;
  /** Layers that other apps or the platform use too. */
  readonly sharedLayers: number;
  readonly repository: number;
  /** What its processes and builds printed. */
  readonly logs: number;
  /** Work folders of builds, and the caches' records. */
  readonly builds: number;
};

export type HostDisk = {
  /** Stacks, runtimes and downloads, for every data directory of the host. */
  readonly cache: number;
  /** Layers of this data directory that several apps use, or none. */
  readonly layers: number;
  readonly database: number;
};

export type DiskUse = ReturnType<typeof createDiskUse>;

type Folders = Pick<
  Paths,
  'data' | 'cache' | 'layers' | 'builds' | 'buildLogs' | 'repos' | 'logs' | 'database'
>;

/** Tells what lies on the disk, by asking it. */
export function createDiskUse({ store, paths }: { store: Store; paths: Folders }) {
  const layersUsedBy = (app: App): ReadonlySet<DiffId> => {
    const images = store.releases.list(app).map(release => store.images.get(release.image));
    const record = readRecord(paths.builds, app.name);
    const classic = readClassicRecord(paths.builds, app.name);
    return new Set([
      ...images.flatMap(image => image.layers),
      ...(record ? layersOf(record) : []),
      ...(classic ? classicLayersOf(classic) : []),
    ]);
  };

  const own = (id: DiffId) => join(paths.layers, id.replace(':', '-'));
  const shared = (id: DiffId) => join(paths.cache, 'layers', id.replace(':', '-'));

  return {
    async app(app: App): Promise<AppDisk> {
      const others = store.apps.list().filter(({ id }) => id !== app.id);
      const elsewhere = new Set(others.flatMap(other => [...layersUsedBy(other)]));
      const mine = [...layersUsedBy(app)];
      const alone = mine.filter(id => !elsewhere.has(id) && existsSync(own(id)));
      const together = mine.filter(id => !alone.includes(id));
      return {
        layers: await bytesUsed(alone.map(own)),
        sharedLayers: await bytesUsed(together.flatMap(id => [own(id), shared(id)])),
        repository: await bytesUsed([join(paths.repos, `${app.name}.git`)]),
        logs: await bytesUsed([join(paths.logs, app.name), join(paths.buildLogs, app.name)]),
        builds: await bytesUsed([join(paths.builds, app.name)]),
      };
    },
    async host(): Promise<HostDisk> {
      const users = store.apps.list().map(layersUsedBy);
      const alone = (name: string) => {
        const id = name.replace('-', ':') as DiffId;
        return users.filter(layers => layers.has(id)).length === 1;
      };
      const layers = list(paths.layers).filter(name => !alone(name));
      return {
        cache: await bytesUsed([paths.cache]),
        layers: await bytesUsed(layers.map(name => join(paths.layers, name))),
        database: await bytesUsed(['', '-wal', '-shm'].map(end => `${paths.database}${end}`)),
      };
    },
  };
}

/** Milliseconds; a big cache on a slow disk takes its time. */
const longest = 120_000;

/** Bytes that all of them take together, a file with several names once; what is not there takes nothing. */
export async function bytesUsed(paths: readonly string[]): Promise<number> {
  const present = paths.filter(existsSync);
  if (present.length === 0) return 0;
  // By standard input: there may be more names than an argv holds.
  const { stdout } = await exec('du', ['--summarize', '--total', '--block-size=1', '--files0-from=-'], {
    input: present.join('\0'),
    timeout: longest,
    maxOutput: 64 * 2 ** 20,
  }).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }));
  return Number.parseInt(stdout.trimEnd().split('\n').at(-1) ?? '', 10) || 0;
}
