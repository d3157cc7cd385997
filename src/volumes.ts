import { chown, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from './domain/app.ts';
import { readRunOptions } from './domain/docker-option.ts';
import { optionsFor, typesWithOptions } from './domain/docker-option-place.ts';
import { WherryError } from './domain/errors.ts';
import type { AppName } from './domain/names.ts';
import { formatVolumeMount, parseVolumeMount, type VolumeMount } from './domain/volume.ts';
import type { Mount } from './engine/engine.ts';
import type { Store } from './store/store.ts';
import { exec } from './system/exec.ts';
import type { Paths } from './system/paths.ts';
import { createVolumeImages, type VolumeRoom } from './volumes/images.ts';

/** The property that an app's mounts are stored under, as a list. */
const key = 'storage';

/** Folders that outlive instances and releases, and which apps see them. */
export interface Volumes {
  /**
   * Makes the folder of a name for a user of instances; what is there stays. @param owner undefined leaves it root's
   * @param size bytes that it may hold: then it is new @throws conflict where there is one already
   */
  ensure(name: string, owner: number | undefined, size?: number): Promise<string>;
  /** Bytes that storage with a size may hold. @throws conflict for storage that has none, invalid when it would shrink */
  grow(name: string, size: number): Promise<void>;
  /** Mounts storage of a size after a boot. */
  restore(failed: (name: string, error: unknown) => void): Promise<void>;
  /** Of the storage that a mount's source is, or is in; undefined where it has no size. */
  room(source: string): Promise<VolumeRoom | undefined>;
  /** Storage that has a size, with the apps that see it. */
  sized(): Promise<readonly SizedVolume[]>;
  /** @throws not-found where there is no storage of that name */
  require(name: string): Promise<void>;
  list(app: App): readonly VolumeMount[];
  set(app: App, mounts: readonly VolumeMount[]): void;
  /** What a type's instances see, by docker-options too. */
  seen(app: App, type: string): readonly VolumeMount[];
  /** What the engine is to mount for a type's instances, by docker-options too. @throws not-found for a folder that is not there */
  mounts(app: App, type: string): Promise<readonly Mount[]>;
  /** The folders at the top of the storage folder, with the apps that see something below each. */
  all(): Promise<readonly { readonly name: string; readonly apps: readonly string[] }[]>;
  /** Bytes on disk, as du or its own file system counts them, and how many it may take. @throws not-found */
  use(name: string): Promise<{ readonly used: number; readonly size: number | null }>;
  /** Deletes a folder with all that is in it. @throws conflict while an app mounts it, not-found */
  destroy(name: string): Promise<void>;
}

export type SizedVolume = {
  readonly name: string;
  readonly apps: readonly AppName[];
  readonly room: VolumeRoom;
};

export function createVolumes({
  store,
  paths,
}: {
  store: Store;
  paths: Pick<Paths, 'data' | 'storage' | 'images'>;
}): Volumes {
  const { data, storage } = paths;
  const images = createVolumeImages(paths);
  const scope = (app: App) => `app:${app.id}`;
  const list = (app: App): readonly VolumeMount[] =>
    store.properties.list(scope(app), key).map(text => parseVolumeMount(text, data));
  const seen = (app: App, type: string): readonly VolumeMount[] => [
    ...list(app),
    ...readRunOptions(optionsFor(store.properties, scope(app), type)).mounts,
  ];
  const pathOf = (source: string) => (source.startsWith('/') ? source : join(storage, source));

  /** What is written to its folder while it is not mounted would be lost in it. @throws unavailable */
  const requireReady = (name: string): void => {
    const top = topOf(name);
    if (images.has(top) && !images.isReady(top))
      throw new WherryError('unavailable', `Storage ${top} could not be mounted. The daemon's log says why.`);
  };

  /** Its real path; one that leads out of the storage folder by a link is none of its own. */
  const folderOf = async (name: string): Promise<string> => {
    const found = await realpath(join(storage, name)).catch(() => undefined);
    if (found?.startsWith(`${await realpath(storage)}/`)) {
      requireReady(name);
      return found;
    }
    throw new WherryError('not-found', `There is no storage ${name}.`, {
      hint: `storage:ensure-directory ${name}`,
    });
  };

  /** By any of its process types. */
  const sees = (app: App, name: string): boolean =>
    ['web', 'run', ...typesWithOptions(store.properties, scope(app))].some(type =>
      seen(app, type).some(({ source }) => source === name || source.startsWith(`${name}/`)),
    );

  const users = (name: string): AppName[] =>
    store.apps
      .list()
      .filter(app => sees(app, name))
      .map(app => app.name);

  return {
    async ensure(name, owner, size) {
      const path = join(storage, name);
      if (size !== undefined) {
        await images.create(name, size, owner ?? 0);
        return path;
      }
      requireReady(name);
      await mkdir(path, { recursive: true, mode: 0o755 });
      if (owner !== undefined) await chown(path, owner, owner);
      return path;
    },
    require: async name => void (await folderOf(name)),
    list,
    seen,
    set: (app, mounts) => store.properties.setList(scope(app), key, mounts.map(formatVolumeMount)),
    mounts: async (app, type) =>
      await Promise.all(
        seen(app, type).map(async ({ source, target, readonly }) => {
          const path = source.startsWith('/') ? pathOf(source) : await folderOf(source);
          return { source: path, target, readonly };
        }),
      ),
    async all() {
      const names = await readdir(storage).catch(() => []);
      return names.sort().map(name => ({ name, apps: users(name) }));
    },
    async grow(name, size) {
      if (!images.has(name)) {
        await folderOf(name);
        throw new WherryError(
          'conflict',
          `Storage ${name} was made without a size, and cannot be given one. Make another with storage:create --size.`,
        );
      }
      await images.grow(name, size);
    },
    restore: images.restore,
    room: async source => await images.room(topOf(source)),
    async sized() {
      const found: SizedVolume[] = [];
      for (const name of await images.names()) {
        const room = await images.room(name);
        if (room) found.push({ name, apps: users(name), room });
      }
      return found;
    },
    async use(name) {
      const room = await images.room(name);
      if (room) return { used: room.used, size: room.size };
      const { stdout } = await exec('du', ['--summarize', '--block-size=1', await folderOf(name)]);
      return { used: Number(stdout.split('\t')[0]), size: null };
    },
    async destroy(name) {
      const [first] = users(name);
      if (first !== undefined)
        throw new WherryError('conflict', `App ${first} mounts storage ${name}.`, {
          hint: `storage:unmount ${first}`,
        });
      if (images.has(name)) await images.remove(name);
      else await rm(await folderOf(name), { recursive: true });
    },
  };
}

/** Only the whole has a size, none of its folders. */
function topOf(source: string): string {
  return source.split('/')[0] ?? '';
}
