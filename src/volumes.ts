import { chown, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { App } from './domain/app.ts';
import { dockerOptionsKey, type Phase, phaseOf, readRunOptions } from './domain/docker-option.ts';
import { WherryError } from './domain/errors.ts';
import { formatVolumeMount, parseVolumeMount, type VolumeMount } from './domain/volume.ts';
import type { Mount } from './engine/engine.ts';
import type { Store } from './store/store.ts';
import { exec } from './system/exec.ts';
import type { Paths } from './system/paths.ts';

/** The property that an app's mounts are stored under, as a list. */
const key = 'storage';

/** Folders that outlive instances and releases, and which apps see them. */
export interface Volumes {
  /** Makes the folder of a name for a user of instances; what is there stays. @param owner undefined leaves it root's */
  ensure(name: string, owner: number | undefined): Promise<string>;
  /** @throws not-found where there is no storage of that name */
  require(name: string): Promise<void>;
  list(app: App): readonly VolumeMount[];
  set(app: App, mounts: readonly VolumeMount[]): void;
  /** What the engine is to mount for a type's instances, by docker-options too. @throws not-found for a folder that is not there */
  mounts(app: App, type: string): Promise<readonly Mount[]>;
  /** The folders at the top of the storage folder, with the apps that see something below each. */
  all(): Promise<readonly { readonly name: string; readonly apps: readonly string[] }[]>;
  /** Bytes on disk, as du counts them. @throws not-found */
  size(name: string): Promise<number>;
  /** Deletes a folder with all that is in it. @throws conflict while an app mounts it, not-found */
  destroy(name: string): Promise<void>;
}

export function createVolumes({
  store,
  paths,
}: {
  store: Store;
  paths: Pick<Paths, 'data' | 'storage'>;
}): Volumes {
  const { data, storage } = paths;
  const scope = (app: App) => `app:${app.id}`;
  const list = (app: App): readonly VolumeMount[] =>
    store.properties.list(scope(app), key).map(text => parseVolumeMount(text, data));
  const optional = (app: App, phase: Phase): readonly VolumeMount[] =>
    readRunOptions(store.properties.list(scope(app), dockerOptionsKey(phase))).mounts;
  const pathOf = (source: string) => (source.startsWith('/') ? source : join(storage, source));

  /** Its real path; one that leads out of the storage folder by a link is none of its own. */
  const folderOf = async (name: string): Promise<string> => {
    const found = await realpath(join(storage, name)).catch(() => undefined);
    if (found?.startsWith(`${await realpath(storage)}/`)) return found;
    throw new WherryError('not-found', `There is no storage ${name}.`, {
      hint: `storage:ensure-directory ${name}`,
    });
  };

  const users = (name: string): string[] =>
    store.apps
      .list()
      .filter(app =>
        [...list(app), ...optional(app, 'deploy'), ...optional(app, 'run')].some(
          ({ source }) => source === name || source.startsWith(`${name}/`),
        ),
      )
      .map(app => app.name);

  return {
    async ensure(name, owner) {
      const path = join(storage, name);
      await mkdir(path, { recursive: true, mode: 0o755 });
      if (owner !== undefined) await chown(path, owner, owner);
      return path;
    },
    require: async name => void (await folderOf(name)),
    list,
    set: (app, mounts) => store.properties.setList(scope(app), key, mounts.map(formatVolumeMount)),
    mounts: async (app, type) =>
      await Promise.all(
        [...list(app), ...optional(app, phaseOf(type))].map(async ({ source, target, readonly }) => {
          const path = source.startsWith('/') ? pathOf(source) : await folderOf(source);
          return { source: path, target, readonly };
        }),
      ),
    async all() {
      const names = await readdir(storage).catch(() => []);
      return names.sort().map(name => ({ name, apps: users(name) }));
    },
    async size(name) {
      const { stdout } = await exec('du', ['--summarize', '--block-size=1', await folderOf(name)]);
      return Number(stdout.split('\t')[0]);
    },
    async destroy(name) {
      const [first] = users(name);
      if (first !== undefined)
        throw new WherryError('conflict', `App ${first} mounts storage ${name}.`, {
          hint: `storage:unmount ${first}`,
        });
      await rm(await folderOf(name), { recursive: true });
    },
  };
}
