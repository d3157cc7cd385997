import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeChoice } from '../domain/backup-settings.ts';
import { WherryError } from '../domain/errors.ts';
import type { DiffId } from '../domain/image.ts';
import type { Store } from '../store/store.ts';
import { list } from '../system/list.ts';
import type { Paths } from '../system/paths.ts';
import { hostFoldersOf, type Manifest, recordApps } from './manifest.ts';
import { readAllRefs } from './refs.ts';

/** The layers of images, wherever they lie. */
export interface Layers {
  /** What is asked for from now on is not deleted until it is let go. */
  hold(): () => void;
  has(id: DiffId): boolean;
  /** Folder of its files; what is known of it lies beside. */
  layerPath(id: DiffId): string;
}

/** Storage of apps, as much as a backup must know. */
export interface Storage {
  all(): Promise<readonly { readonly name: string }[]>;
  /** @throws where its content cannot be seen */
  require(name: string): Promise<void>;
  /** Undefined where it has no size. */
  room(name: string): Promise<{ readonly size: number } | undefined>;
}

export type StageOptions = {
  readonly store: Store;
  /** Opens a copy of the database. */
  readonly openCopy: (file: string) => Store;
  readonly paths: Paths;
  readonly layers: Layers;
  readonly storage: Storage;
  readonly version: string;
  readonly domain: string;
};

export type Staged = {
  readonly manifest: Manifest;
  /** Files and folders that the backup is made of. */
  readonly files: readonly string[];
};

/** Files of an app's build folder that only make its next build quicker. */
const caches = ['record.json', 'classic.json', 'image.json'];

/**
 * Puts down what a backup must have of one moment, in an order that a push in between does no harm to: branches first, then the
 * database, which may know of a later release, never of an earlier one; layers are the caller's to hold from before it.
 */
export async function stage(
  options: StageOptions,
  { volumes, hasKey, now }: { volumes: VolumeChoice; hasKey: boolean; now: Date },
): Promise<Staged> {
  const { store, openCopy, paths, layers, storage } = options;
  const dir = stageOf(paths);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const { layers: ids } of store.images.list()) ids.forEach(layers.has);

  const repos = readAllRefs(paths.repos);
  const database = join(dir, 'wherry.db');
  const key = await copyWithKey(store, { database, keyFile: paths.secretKey });
  if (hasKey) await writeFile(join(dir, 'secret.key'), key, { mode: 0o600 });
  const copy = openCopy(database);
  const chosen = await chooseVolumes(storage, volumes);
  const apps = recordApps(copy);
  const images = copy.images.list();
  copy.close();

  const manifest: Manifest = {
    format: 1,
    version: options.version,
    madeAt: now.toISOString(),
    data: paths.data,
    cache: paths.cache,
    domain: options.domain,
    hasKey,
    apps,
    repos,
    ...chosen,
    hostFolders: hostFoldersOf(store, paths.data),
  };
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest), { mode: 0o600 });
  return {
    manifest,
    files: [
      dir,
      ...[paths.hostKeys, paths.repos, paths.plugins, paths.buildLogs],
      ...pinsOf(paths.builds),
      ...new Set(
        images.flatMap(image => image.layers.filter(layers.has).map(id => dirname(layers.layerPath(id)))),
      ),
      ...chosen.volumes.map(({ name }) => join(paths.storage, name)),
    ],
  };
}

/** The database, and the key that belongs to it: one that is changed meanwhile has another. */
async function copyWithKey(
  store: Store,
  { database, keyFile }: { database: string; keyFile: string },
): Promise<Buffer> {
  for (let tries = 1; tries < 6; tries++) {
    const key = await readFile(keyFile);
    await rm(database, { force: true });
    await store.copyTo(database);
    await chmod(database, 0o600);
    if (key.equals(await readFile(keyFile))) return key;
  }
  throw new WherryError('conflict', 'The secret key is being changed. Back up when that is done.');
}

export function stageOf({ backup }: Pick<Paths, 'backup'>): string {
  return join(backup, 'stage');
}

async function chooseVolumes(storage: Storage, wanted: VolumeChoice) {
  const names = (await storage.all()).map(({ name }) => name);
  const unknown = wanted === 'all' ? undefined : wanted.find(name => !names.includes(name));
  if (unknown !== undefined)
    throw new WherryError('not-found', `There is no storage ${unknown}.`, { hint: 'backup:set volumes=all' });
  const volumes: { name: string; size: number | null }[] = [];
  for (const name of names) {
    if (wanted !== 'all' && !wanted.includes(name)) continue;
    // What is not mounted is no empty folder: better none than that.
    if (await isReady(storage, name)) volumes.push({ name, size: (await storage.room(name))?.size ?? null });
  }
  return { volumes, withoutVolumes: names.filter(name => !volumes.some(each => each.name === name)) };
}

async function isReady(storage: Storage, name: string): Promise<boolean> {
  return await storage.require(name).then(
    () => true,
    () => false,
  );
}

/** What apps' buildpacks and images are held at. */
function pinsOf(builds: string): string[] {
  return list(builds).flatMap(app =>
    list(join(builds, app))
      .filter(name => name.endsWith('.json') && !caches.includes(name))
      .map(name => join(builds, app, name)),
  );
}
